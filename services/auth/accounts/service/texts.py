"""What mails say, in the language of who gets them."""

from services.auth.mail.rules import Mail
from services.auth.settings import Settings
from shared.i18n import N_, translate

_VERIFY = (
    N_("Verify your address"),
    N_(
        "Somebody, you we hope, asked for an account at {tenant} with this address.\n\n"
        "To show that it is yours, {how}\n\n"
        "This is good for a day. If the account was asked for more than once, no password counts "
        "yet: have it reset once your address is verified. If it was not you, do nothing: no "
        "account is opened then."
    ),
)
_TAKEN = (
    N_("You have an account already"),
    N_(
        "Somebody asked for an account at {tenant} with this address, which has one already.\n\n"
        "If it was you: sign in as before, or have your password reset. "
        "If it was not, there is nothing to do."
    ),
)
_CLOSED = (
    N_("No registration at {tenant}"),
    N_(
        "Somebody, you we hope, asked for an account at {tenant}, where accounts are given by "
        "administrators alone. Ask one for an invitation."
    ),
)
_RESET = (
    N_("Reset your password"),
    N_(
        "Somebody, you we hope, asked to reset your password at {tenant}.\n\n"
        "To choose another one, {how}\n\n"
        "This is good for half an hour. If it was not you, do nothing: your password stays."
    ),
)
_INVITE = (
    N_("You are invited to {tenant}"),
    N_(
        "You are invited by {who} to work at {tenant}.\n\n"
        "To accept and choose a password, {how}\n\n"
        "This is good for a week."
    ),
)
_ADDRESS = (
    N_("Confirm your new address"),
    N_(
        "Somebody, you we hope, asked to have this address for an account at {tenant}.\n\n"
        "To confirm it, sign in with the address that you had so far, and {how}\n\n"
        "This is good for a day. If it was not you, do nothing: no account changes."
    ),
)
_ADDRESS_TAKEN = (
    N_("This address has an account already"),
    N_(
        "Somebody asked to have this address for another account at {tenant}. It has one already, "
        "so nothing changes.\n\nIf it was you: sign in to the account that has it. "
        "If it was not, there is nothing to do."
    ),
)
TEXTS = {
    "verify": _VERIFY,
    "taken": _TAKEN,
    "closed": _CLOSED,
    "reset": _RESET,
    "invite": _INVITE,
    "address": _ADDRESS,
    "address_taken": _ADDRESS_TAKEN,
}
_PAGES = {
    "verify": "verify-email",
    "reset": "reset-password",
    "invite": "accept-invitation",
    "address": "confirm-email",
}
_BY_LINK = N_("open this page:\n\n{link}")
_BY_CODE = N_("send this code to {path}:\n\n{token}")


def write(
    kind: str,
    to: str,
    *,
    tenant: str,
    language: str,
    settings: Settings,
    token: str = "",
    who: str = "",
) -> Mail:
    """Return the mail of this kind; `token` goes into a link, or stands as it is.

    `who`: by whom an invitation is.
    """
    subject, text = TEXTS[kind]
    how = _how(kind, token, language, settings) if token else ""
    return Mail(
        to=to,
        subject=translate(subject, language, tenant=tenant),
        text=translate(text, language, tenant=tenant, how=how, who=who) + "\n",
        language=language,
    )


def _how(kind: str, token: str, language: str, settings: Settings) -> str:
    """Return how to redeem a token: on a page of the frontend, if there is one.

    The token stands behind `#`, which no browser sends to a server or names to another site.
    """
    page = _PAGES[kind]
    if settings.frontend_url:
        link = f"{settings.frontend_url.rstrip('/')}/{page}#token={token}"
        return translate(_BY_LINK, language, link=link)
    return translate(_BY_CODE, language, path=f"POST /api/auth/{page}", token=token)
