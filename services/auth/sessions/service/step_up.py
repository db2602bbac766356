"""A fresh proof within a session, for acts that ask for one."""

from dataclasses import replace
from datetime import datetime

from services.auth.sessions import queries
from services.auth.sessions.errors import SessionOver
from services.auth.sessions.schemas import AccessRead, ProofInput
from services.auth.sessions.service.proof import Account, find_account, prove
from services.auth.sessions.service.tokens import make_access_token
from services.auth.tenants import service as tenants
from services.auth.throttle import service as throttle
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.users.errors import UserNotFound
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.factors import IdentityProved
from shared.errors import Problem
from shared.principal import Principal


async def step_up(
    transactions: Transactions,
    given: ProofInput,
    *,
    vault: Vault,
    caller: Principal,
    now: datetime,
) -> AccessRead:
    """Return an access token that says when the caller just proved who he is.

    Raises UserNotFound, Unauthorized, InvalidCredentials, AccountLocked, TooManySignIns,
    TwoFactorRequired, TwoFactorCodeWrong, SessionOver.
    """
    account = await find_own_account(transactions, caller, vault=vault, now=now)
    async with prove(
        transactions, account, given, bound_to=caller.session_id, vault=vault, now=now
    ) as proof:
        session, user = proof.session, await users.get_caller(proof.session, caller)
        proved = await queries.find_session(session, caller.session_id)
        if proved is None or proved.revoked_at is not None:
            raise SessionOver
        await throttle.forgive(
            session, account.index, user.id, device=transactions.device, vault=vault, now=now
        )
        proved.proved_at = now
        proved.methods = sorted({*proved.methods, *proof.methods})
        journal.record(session, IdentityProved(user_id=user.id, methods=tuple(proof.methods)))
        return make_access_token(user, account.tenant, proved, vault=vault, now=now)


async def find_own_account(
    transactions: Transactions, caller: Principal, *, vault: Vault, now: datetime
) -> Account:
    """Count an attempt on the caller's own account and return it.

    Raises UserNotFound, TooManySignIns.
    """
    async with transactions.open_as(caller) as session:
        tenant = await tenants.find_tenant(session, caller.tenant_id)
        user = await users.find_user(session, caller.id)
        if tenant is None or user is None:
            raise UserNotFound
        found = await find_account(
            session,
            tenant,
            user.email_index,
            user,
            device=transactions.device,
            vault=vault,
            now=now,
        )
    if isinstance(found, Problem):
        raise found
    return replace(found, is_own=True)
