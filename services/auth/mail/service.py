"""Mail: put into the outbox with what it is about, and sent by the worker."""

import json
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from email.message import EmailMessage
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.mail import metrics, queries
from services.auth.mail.models import MailRow
from services.auth.mail.rules import LEASE, Mail, message_of, names, retry_after
from services.auth.vault import Vault
from shared.db import OpenFor
from shared.ids import new_id
from shared.log import log
from shared.security.sealing import SealBroken, place

BATCH: Final = 20
COUNTED_MAX: Final = 1000
MAIL = "auth.mails.mail"

Send = Callable[[EmailMessage], Awaitable[None]]


def post(
    session: AsyncSession, mail: Mail, tenant_id: UUID, *, vault: Vault, now: datetime
) -> None:
    """Put a mail into the outbox: it goes out if and only if the transaction stands."""
    mail_id = new_id()
    text = json.dumps([mail.to, mail.subject, mail.text, mail.language]).encode()
    sealed = vault.sealer.seal(text, place(MAIL, tenant_id, mail_id))
    session.add(MailRow(id=mail_id, mail_sealed=sealed, tries=0, due_at=now))


async def send_due(
    open_for: OpenFor, send: Send, *, vault: Vault, clock: Callable[[], datetime]
) -> int:
    """Send what is due, of all tenants; return how many went out.

    Each is taken on a lease, sent without a transaction, then removed: a crash between the last
    two sends it twice, never not at all.
    """
    async with open_for(None) as session:
        due = await queries.list_due(session, clock(), limit=BATCH)
    sent = 0
    for tenant_id, mail_id in due:
        sent += await _send_one(open_for, send, tenant_id, mail_id, vault=vault, clock=clock)
    return sent


async def list_naming(
    session: AsyncSession, addresses: Collection[str], *, vault: Vault
) -> list[tuple[MailRow, Mail]]:
    """Return what waits in the tenant's outbox for one of these addresses, or names one."""
    found = []
    for row in await queries.list_all(session):
        try:
            mail = Mail(*json.loads(_open(row.mail_sealed, row.tenant_id, row.id, vault)))
        except SealBroken:
            continue  # Nobody reads it, and it is given up when its turn comes.
        told = f"{mail.to}\n{mail.subject}\n{mail.text}"
        if any(names(told, address) for address in addresses):
            found.append((row, mail))
    return found


async def count_due(session: AsyncSession, *, now: datetime) -> int:
    """Return how many mails of all tenants should have gone out by now, COUNTED_MAX at most."""
    return len(await queries.list_due(session, now, limit=COUNTED_MAX))


async def _send_one(
    open_for: OpenFor,
    send: Send,
    tenant_id: UUID,
    mail_id: UUID,
    *,
    vault: Vault,
    clock: Callable[[], datetime],
) -> bool:
    """Say whether the mail went out."""
    async with open_for(tenant_id) as session:
        row = await queries.take(session, mail_id, clock())
        if row is None:
            return False
        row.tries += 1
        row.due_at = clock() + LEASE
        tries, sealed = row.tries, row.mail_sealed
    went_out, is_hopeless = await _try(send, sealed, tenant_id, mail_id, vault=vault, now=clock())
    async with open_for(tenant_id) as session:
        row = await queries.find(session, mail_id)
        wait = None if went_out or is_hopeless else retry_after(tries)
        if row is not None and wait is None:
            await session.delete(row)
        elif row is not None and wait is not None:
            row.due_at = clock() + wait
    outcome = "sent" if went_out else "given_up" if wait is None else "failed"
    metrics.mails.labels(outcome).inc()
    return went_out


async def _try(
    send: Send, sealed: bytes, tenant_id: UUID, mail_id: UUID, *, vault: Vault, now: datetime
) -> tuple[bool, bool]:
    """Return whether the mail went out, and whether it never will."""
    try:
        opened = _open(sealed, tenant_id, mail_id, vault)
        message = message_of(Mail(*json.loads(opened)), vault.settings.mail_from, now)
    except (SealBroken, ValueError) as error:
        log.error("a mail cannot be written", mail_id=mail_id, reason=type(error).__name__)
        return False, True
    try:
        await send(message)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again.
        log.warning("a mail was not sent", mail_id=mail_id, reason=type(error).__name__)
        return False, False
    return True, False


def _open(sealed: bytes, tenant_id: UUID, mail_id: UUID, vault: Vault) -> bytes:
    """Return a mail as it was put into the outbox. Raises SealBroken."""
    return vault.sealer.open(sealed, place(MAIL, tenant_id, mail_id))
