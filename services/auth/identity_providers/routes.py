from typing import Annotated

from fastapi import Depends, Response

from services.auth.identity_providers import service
from services.auth.identity_providers.errors import (
    AddressNotVouched,
    IdentityNotProved,
    IdentityProviderAway,
    IdentityProviderNotUsable,
    IdentityTaken,
    NoAccountHere,
    NoIdentityProvider,
    ProvidedSignInInvalid,
    RedirectNotUsable,
)
from services.auth.identity_providers.schemas import (
    IdentityProviderRead,
    IdentityProviderReplace,
    ProvidedSignInFinish,
    ProvidedSignInStart,
    ProvidedSignInStarted,
)
from services.auth.requests import KeylessTransactions, Secrets
from services.auth.sessions.errors import PROOF_REFUSALS
from services.auth.sessions.schemas import EnrolmentRead, SignedInRead
from services.auth.users.errors import EmailTaken, UserNotFound
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.route import SmallRoute

router = feature_router("/api/identity-provider", "tenants", route_class=SmallRoute)
sign_ins = feature_router("/api/auth/oidc", "sessions", route_class=SmallRoute)

CanManage = Annotated[Principal, Depends(requires("user:manage"))]
CanManageNow = Annotated[Principal, Depends(requires("user:manage", fresh=True))]


@router.get("", responses=problems(NoIdentityProvider))
async def get_identity_provider(session: Session, _caller: CanManage) -> IdentityProviderRead:
    """Read the identity provider.

    By which the users of your tenant may sign in. Its secret is never shown.
    """
    return IdentityProviderRead.model_validate(await service.get_provider(session))


@router.put("", responses=problems(IdentityProviderNotUsable, RedirectNotUsable))
async def replace_identity_provider(
    body: IdentityProviderReplace,
    transactions: KeylessTransactions,
    vault: Secrets,
    caller: CanManageNow,
    now: Now,
) -> IdentityProviderRead:
    """Set the identity provider.

    It is asked first whether it is there. With another issuer, all links of accounts are gone; with
    another issuer or client, the sessions that it began end. All administrators are told by mail.
    """
    provider = await service.replace_provider(
        transactions, body, vault=vault, caller=caller, now=now
    )
    return IdentityProviderRead.model_validate(provider)


@router.delete("", status_code=204, responses=problems(NoIdentityProvider))
async def remove_identity_provider(
    session: Session, vault: Secrets, _caller: CanManageNow, now: Now
) -> None:
    """Remove the identity provider.

    Nobody signs in by it any more; the sessions that it began end. All administrators are told by
    mail.
    """
    await service.remove_provider(session, vault=vault, now=now)


@sign_ins.post(
    "/start",
    responses=problems(NoIdentityProvider, IdentityProviderNotUsable, IdentityProviderAway),
)
async def start_provided_sign_in(
    body: ProvidedSignInStart,
    response: Response,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> ProvidedSignInStarted:
    """Begin to sign in by the identity provider.

    Send the browser to `authorization_url`; keep `binding` in its session until it comes back.
    """
    response.headers["Cache-Control"] = "no-store"
    return await service.start_sign_in(transactions, body, vault=vault, now=now)


@sign_ins.post(
    "/finish",
    responses=problems(
        ProvidedSignInInvalid,
        IdentityNotProved,
        IdentityProviderAway,
        IdentityProviderNotUsable,
        AddressNotVouched,
        NoAccountHere,
        IdentityTaken,
        EmailTaken,
        UserNotFound,
        *PROOF_REFUSALS,
    ),
)
async def finish_provided_sign_in(
    body: ProvidedSignInFinish,
    response: Response,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> SignedInRead | EnrolmentRead:
    """Finish a sign-in by the identity provider.

    Send what your page got: `state`, and `code` as `provider_code`, with the `binding`. Where the
    answer is 401 `two_factor_required`, send the same again with a `code` or a `passkey`.
    """
    response.headers["Cache-Control"] = "no-store"
    return await service.finish_sign_in(transactions, body, vault=vault, now=now)
