"""What somebody gets who has proved who he is: a session, or what must be done before it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.factors.rules import Method, is_strong, must_have_factor
from services.auth.sessions import metrics, queries
from services.auth.sessions.models import UserSession
from services.auth.sessions.rules import Todo, todo_before_session
from services.auth.sessions.schemas import EnrolmentRead, SignedInRead
from services.auth.sessions.service.device import seal_device
from services.auth.sessions.service.tokens import expiry_of, make_enrolment_token, make_tokens
from services.auth.tenants import service as tenants
from services.auth.tenants.models import Tenant
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.sessions import UserSignedIn
from shared.ids import new_id
from shared.principal import Device, Principal


def finish_sign_in(  # noqa: PLR0913 - who it is, how proved and when, and from where.
    session: AsyncSession,
    user: User,
    tenant: Tenant,
    methods: tuple[str, ...],
    *,
    device: Device,
    vault: Vault,
    now: datetime,
    proved_at: datetime | None = None,
) -> SignedInRead | EnrolmentRead:
    """Start a session for the user, who is locked and has just proved himself by `methods`.

    `proved_at`: when he did, where that was not now.
    Where he has still to set a second factor up, or to choose a password, he gets a token that is
    good for that alone.
    """
    todo = todo_of(user, tenant, methods)
    if todo:
        return make_enrolment_token(user, tenant, methods, todo, vault=vault, now=now)
    session_id = new_id()
    started = UserSession(
        id=session_id,
        user_id=user.id,
        counter=0,
        methods=list(methods),
        started_at=now,
        proved_at=proved_at or now,
        refreshed_at=now,
        expires_at=expiry_of(now, now, role=user.role, vault=vault),
        device_sealed=seal_device(device, user.tenant_id, session_id, vault=vault),
    )
    session.add(started)
    journal.record(session, UserSignedIn.of(started))
    metrics.attempts.labels("success").inc()
    tokens = make_tokens(user, tenant, started, vault=vault, now=now)
    return SignedInRead(**tokens.model_dump(), user=users.to_read(user, vault=vault))


async def go_on_with_factor(
    session: AsyncSession,
    user: User,
    method: Method,
    *,
    device: Device,
    vault: Vault,
    caller: Principal,
    now: datetime,
) -> SignedInRead | EnrolmentRead | None:
    """Finish the sign-in of a caller who has just set up a second factor; his row is held.

    An enrolment token is good for nothing then. With a session there is nothing to finish: it is
    noted there, and None is returned. Raises TenantNotFound.
    """
    user.factor_lost_at = None
    if not caller.todo:
        await _strengthen(session, caller.session_id, method, now=now)
        return None
    users.raise_token_version(user, now)
    methods = tuple(dict.fromkeys((*caller.methods, method)))
    tenant = await tenants.get_tenant(session, user.tenant_id)
    return finish_sign_in(session, user, tenant, methods, device=device, vault=vault, now=now)


async def _strengthen(
    session: AsyncSession, session_id: UUID, method: Method, *, now: datetime
) -> None:
    """Note that the user of this session has just proved himself by one more method."""
    proved = await queries.find_session(session, session_id)
    if proved is not None:
        proved.methods = sorted({*proved.methods, method})
        proved.proved_at = now


def todo_of(user: User, tenant: Tenant, methods: tuple[str, ...] | list[str]) -> tuple[Todo, ...]:
    """Return what stands between the user, proved by these methods, and a session."""
    return todo_before_session(
        password_change_required=user.password_change_required,
        must_have_factor=user.factor_lost_at is not None
        or must_have_factor(user.role, tenant_demands=tenant.two_factor_required),
        has_strong_proof=is_strong(methods),
    )
