"""What an account's owner is told of by mail, and in which words: no secret, and what to do."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from shared.i18n import N_

Notice: TypeAlias = Literal[
    "password_changed",
    "factor_added",
    "factor_removed",
    "recovery_codes_replaced",
    "recovery_code_used",
    "api_key_added",
    "locked",
    "deactivated",
    "reactivated",
    "address_changed",
    "address_given",
    "identity_linked",
    "recovery_requested",
    "recovery_requested_of_other",
    "recovered",
    "recovered_of_other",
    "recovered_by_operator",
    "administrator_added",
    "identity_provider_changed",
    "identity_provider_trusted",
    "identity_provider_removed",
]

_IF_NOT_YOU = N_(
    "If it was not you, change your password at once, sign out everywhere and tell an "
    "administrator."
)
_IF_NOT_YOU_RESET = N_("If it was not you, have it reset at once and tell an administrator.")
_IF_UNEXPECTED = N_("If you did not expect this, ask an administrator of yours.")
_IF_STRANGE = N_(
    "Whoever runs the provider can sign in as anybody whose address it vouches for. If you know "
    "nothing of it, ask who administers with you, and remove it."
)

# Of each: the subject, what happened, and what to do about it.
TEXTS: Final[Mapping[Notice, tuple[str, str, str]]] = {
    "password_changed": (
        N_("Your password was changed"),
        N_(
            "The password of your account at {tenant} was changed just now, and all your other "
            "sessions ended."
        ),
        _IF_NOT_YOU_RESET,
    ),
    "factor_added": (
        N_("A second factor was set up"),
        N_("A second factor was set up just now for your account at {tenant}."),
        _IF_NOT_YOU,
    ),
    "factor_removed": (
        N_("A second factor was removed"),
        N_("A second factor of your account at {tenant} was removed just now."),
        _IF_NOT_YOU,
    ),
    "recovery_codes_replaced": (
        N_("New recovery codes"),
        N_(
            "New recovery codes were made just now for your account at {tenant}; those from before "
            "are good for nothing."
        ),
        _IF_NOT_YOU,
    ),
    "recovery_code_used": (
        N_("A recovery code was used"),
        N_("A recovery code of your account at {tenant} was used just now to sign in."),
        _IF_NOT_YOU,
    ),
    "api_key_added": (
        N_("A new API key"),
        N_(
            "An API key was made just now for your account at {tenant}: whoever has it acts for "
            "you, also after you change your password."
        ),
        N_(
            "If it was not you, revoke the key, change your password at once, sign out everywhere "
            "and tell an administrator."
        ),
    ),
    "locked": (
        N_("Your account was locked"),
        N_(
            "An administrator locked your account at {tenant} just now: nobody signs in to it, and "
            "all its sessions and API keys ended."
        ),
        _IF_UNEXPECTED,
    ),
    "deactivated": (
        N_("Your account was closed"),
        N_(
            "Your account at {tenant} was closed just now: nobody signs in to it, and all its "
            "sessions ended."
        ),
        _IF_UNEXPECTED,
    ),
    "reactivated": (
        N_("Your account is open again"),
        N_(
            "An administrator opened your account at {tenant} again just now: sign in as before. "
            "API keys must be made anew."
        ),
        _IF_UNEXPECTED,
    ),
    "address_changed": (
        N_("Your address was changed"),
        N_(
            "Your account at {tenant} has another address since just now: sign in with that one. "
            "Your sessions go on."
        ),
        _IF_UNEXPECTED,
    ),
    "address_given": (
        N_("This is the address of your account now"),
        N_(
            "An administrator has made this the address of your account at {tenant}: sign in with "
            "it. Your password stays as it is."
        ),
        _IF_UNEXPECTED,
    ),
    "identity_linked": (
        N_("Your company account signs in here now"),
        N_(
            "Since just now your account at {tenant} can be signed in to by your company's "
            "identity provider, which vouched for this address."
        ),
        _IF_UNEXPECTED,
    ),
    "recovery_requested": (
        N_("Your second factor is said to be lost"),
        N_(
            "An administrator asked to remove the second factor of your account at {tenant}, since "
            "you lost it. Once another administrator approves, you set up a new one when you sign "
            "in next."
        ),
        N_("If you still have it, tell an administrator at once, who can decline the request."),
    ),
    "recovery_requested_of_other": (
        N_("A lost second factor waits for approval"),
        N_(
            "Somebody asked to remove the second factor of {who} at {tenant} (user {user_id}), as "
            "lost. Another administrator must approve within a day."
        ),
        N_("Ask {who} before you approve, not by mail. If {who} did not ask for it, decline."),
    ),
    "recovered": (
        N_("Your second factor was removed"),
        N_(
            "Two administrators removed the second factor of your account at {tenant}, since you "
            "lost it. All sessions ended; you set up a new one when you sign in next."
        ),
        N_(
            "If you did not ask for this, sign in and set one up at once, change your password, "
            "and tell an administrator."
        ),
    ),
    "recovered_by_operator": (
        N_("Your second factor was removed"),
        N_(
            "Whoever runs this installation removed the second factor of your account at {tenant}. "
            "All sessions ended; you set up a new one when you sign in next."
        ),
        N_(
            "If you did not ask for this, sign in and set one up at once, change your password, "
            "and look at who has access to the machine."
        ),
    ),
    "recovered_of_other": (
        N_("A lost second factor was removed"),
        N_(
            "The second factor of {who} at {tenant} (user {user_id}) was removed, as lost, by two "
            "administrators or by the operator."
        ),
        N_("If you know nothing of it, ask {who}, and lock the account if in doubt."),
    ),
    "administrator_added": (
        N_("There is a new administrator"),
        N_("{who} at {tenant} (user {user_id}) is an administrator now, or is invited as one."),
        N_("If you know nothing of it, ask who administers with you, and lock the account."),
    ),
    "identity_provider_changed": (
        N_("Your identity provider was changed"),
        N_("People sign in at {tenant} otherwise since just now: by {issuer}."),
        _IF_STRANGE,
    ),
    "identity_provider_trusted": (
        N_("Your identity provider stands in for the second factor"),
        N_(
            "People sign in at {tenant} otherwise since just now: by {issuer}, and with no second "
            "factor of ours where it says that it asked for one."
        ),
        _IF_STRANGE,
    ),
    "identity_provider_removed": (
        N_("Your identity provider was removed"),
        N_(
            "Nobody signs in at {tenant} by {issuer} any more, since just now; the sessions that "
            "began so have ended."
        ),
        _IF_UNEXPECTED,
    ),
}
