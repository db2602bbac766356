"""Mail that tells somebody what was done to his account: it goes out if and only if it was."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.mail import service as mail
from services.auth.mail.rules import Mail
from services.auth.notices import queries
from services.auth.notices.rules import TEXTS, Notice
from services.auth.vault import Vault
from shared.i18n import translate


class Addressee(NamedTuple):
    tenant_id: UUID
    email: str | None  # None where it cannot be read: nothing is sent then.
    language: str | None  # Without one, the tenant's counts.


async def tell(
    session: AsyncSession,
    to: Addressee,
    notice: Notice,
    *,
    vault: Vault,
    now: datetime,
    **facts: str,
) -> None:
    """Put the mail of this notice into the outbox, in the language of who gets it.

    `facts` fill its text in, beside `tenant`.
    """
    if to.email is None:
        return
    tenant, tenant_language = await queries.get_tenant_voice(session, to.tenant_id)
    language = to.language or tenant_language
    subject, *paragraphs = (
        translate(part, language, tenant=tenant, **facts) for part in TEXTS[notice]
    )
    text = "\n\n".join(paragraphs) + "\n"
    mail.post(session, Mail(to.email, subject, text, language), to.tenant_id, vault=vault, now=now)
