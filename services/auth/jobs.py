from services.auth.accounts import service as accounts
from services.auth.keys import service as keys
from services.auth.mail import service as mail
from services.auth.mailer import mailer
from services.auth.resources import AuthResources
from services.auth.scim import service as scim
from services.auth.sealed_columns import SEALED_COLUMNS
from services.auth.sessions import service as sessions
from shared.clock import utc_now
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.db import Stamp
from shared.jobs import every, run_together, standing_work
from shared.log import log
from shared.resealing import Resealed, reseal

FORGET_INTERVAL_S = 600.0
GAUGE_INTERVAL_S = 15.0
ERRANDS_INTERVAL_S = 1.0  # Somebody waits for a mail.
ROTATION_INTERVAL_S = 600.0
RESEAL_INTERVAL_S = 3600.0
REINDEX_INTERVAL_S = 24 * 3600.0  # At each start, and after what an older release did beside it.
_STAMP = Stamp(None, "worker")


async def work(resources: AuthResources) -> None:
    """Run for ever: the standing work, forgetting what has ended, counting what goes on."""

    async def forget() -> None:
        async with resources.database.transaction(_STAMP) as session:
            await sessions.forget_ended(session, now=utc_now())

    async def measure() -> None:
        async with resources.database.transaction(_STAMP) as session:
            await sessions.measure_active(session, now=utc_now())

    async def rotate() -> None:
        vault = resources.own
        async with resources.database.transaction(Stamp(DEFAULT_TENANT_ID, "worker")) as session:
            kid = await keys.rotate_if_due(
                session,
                sealer=vault.sealer,
                days=vault.settings.signing_rotation_days,
                now=utc_now(),
            )
        if kid is not None:
            log.info("signing key added", kid=kid)

    send = mailer(resources.own.settings)

    open_for = resources.database.opener("worker")

    async def do_errands() -> None:
        vault = resources.own
        if await accounts.do_errands(open_for, vault=vault, clock=utc_now):
            resources.waker.wake(resources.service)
        await mail.send_due(open_for, send, vault=vault, clock=utc_now)

    async def reindex() -> None:
        done = await accounts.reindex(open_for, vault=resources.own)
        done += await scim.reindex(open_for, vault=resources.own)
        if done:
            log.info("accounts were indexed anew", count=done)

    await run_together(
        standing_work(resources),
        every(FORGET_INTERVAL_S, "forget ended sessions", forget),
        every(ERRANDS_INTERVAL_S, "do errands and send mail", do_errands),
        every(ROTATION_INTERVAL_S, "rotate signing keys", rotate),
        every(REINDEX_INTERVAL_S, "index accounts anew", reindex),
        every(RESEAL_INTERVAL_S, "seal values anew", lambda: reseal_values(resources)),
        every(GAUGE_INTERVAL_S, "measure accounts", measure),
    )


async def reseal_values(resources: AuthResources) -> Resealed:
    """Seal with ENCRYPTION_KEY what earlier ones sealed."""
    open_for = resources.database.opener("worker")
    return await reseal(open_for, SEALED_COLUMNS, sealer=resources.own.sealer)
