"""How the mirror is: what the primary's slot and the mirror's subscription tell."""

from dataclasses import dataclass

import asyncpg

from deploy.mirror.errors import MirrorError
from deploy.mirror.servers import SUBSCRIPTION, Ends, connected


@dataclass(frozen=True)
class SlotState:
    """What the primary keeps for the mirror. A slot that is `lost` never comes back."""

    wal_status: str  # reserved, extended, unreserved or lost.
    is_active: bool
    inactive_s: float
    lag_bytes: int  # Written here and not confirmed from there.
    safe_bytes: int | None  # What may still be written before the slot is lost; None: no bound.
    lsn: str


@dataclass(frozen=True)
class SubscriptionState:
    """What the mirror does."""

    is_enabled: bool
    is_applying: bool
    silent_s: float | None  # Since the last message from the primary.
    tables: int
    tables_copied: int
    apply_errors: int  # These three since the subscription was made.
    sync_errors: int
    conflicts: int


@dataclass(frozen=True)
class MirrorStatus:
    """Both, and what is wrong, in words."""

    slot: SlotState | None
    subscription: SubscriptionState | None

    @property
    def faults(self) -> list[str]:
        """Return what keeps the mirror from following; empty where it does."""
        found = []
        if self.slot is None:
            found.append("the primary has no slot for the mirror: run set-up")
        elif self.slot.wal_status == "lost":
            found.append("the slot is lost, the mirror was away too long: drop, set up --empty")
        elif not self.slot.is_active:
            found.append(f"the mirror has not been connected for {self.slot.inactive_s:,.0f} s")
        if self.subscription is None:
            found.append("the mirror has no subscription: run set-up")
        else:
            found += _faults_of(self.subscription)
        return found


def _faults_of(state: SubscriptionState) -> list[str]:
    found = []
    if not state.is_enabled:
        found.append("the subscription is disabled: run set-up")
    elif not state.is_applying:
        found.append("nothing is applied: the mirror's log has the reason")
    if state.tables_copied < state.tables:
        found.append(f"{state.tables - state.tables_copied} tables are not copied yet")
    return found


async def read_status(ends: Ends) -> MirrorStatus:
    """Return how the mirror is. Raises MirrorError where a server does not answer."""
    async with connected(ends.primary, ends.database) as primary:
        slot = await read_slot(primary)
    async with connected(ends.mirror, ends.database) as mirror:
        return MirrorStatus(slot, await read_subscription(mirror))


async def read_slot(primary: asyncpg.Connection) -> SlotState | None:
    row = await primary.fetchrow(_SLOT, SUBSCRIPTION)
    return SlotState(**dict(row)) if row else None


async def read_subscription(mirror: asyncpg.Connection) -> SubscriptionState | None:
    row = await mirror.fetchrow(_SUBSCRIPTION, SUBSCRIPTION)
    return SubscriptionState(**dict(row)) if row else None


async def require_following(ends: Ends) -> MirrorStatus:
    """Return the status of a mirror that follows; raises MirrorError with what is wrong."""
    status = await read_status(ends)
    if status.faults:
        raise MirrorError(f"The mirror does not follow: {'; '.join(status.faults)}.")
    return status


_SLOT = """
    SELECT wal_status, active AS is_active,
           CASE WHEN active THEN 0 ELSE coalesce(extract(epoch FROM clock_timestamp()
               - inactive_since), 0) END::float8 AS inactive_s,
           coalesce(pg_current_wal_lsn() - confirmed_flush_lsn, 0)::bigint AS lag_bytes,
           safe_wal_size AS safe_bytes, pg_current_wal_lsn()::text AS lsn
    FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()"""
_SUBSCRIPTION = """
    SELECT s.subenabled AS is_enabled,
           EXISTS (SELECT FROM pg_stat_subscription w WHERE w.subid = s.oid
                   AND w.worker_type = 'apply' AND w.pid IS NOT NULL) AS is_applying,
           (SELECT extract(epoch FROM clock_timestamp() - max(w.last_msg_receipt_time))::float8
            FROM pg_stat_subscription w WHERE w.subid = s.oid) AS silent_s,
           (SELECT count(*) FROM pg_subscription_rel r WHERE r.srsubid = s.oid) AS tables,
           (SELECT count(*) FROM pg_subscription_rel r
            WHERE r.srsubid = s.oid AND r.srsubstate = 'r') AS tables_copied,
           coalesce(e.apply_error_count, 0) AS apply_errors,
           coalesce(e.sync_error_count, 0) AS sync_errors,
           coalesce(e.confl_insert_exists + e.confl_update_origin_differs
               + e.confl_update_exists + e.confl_update_missing + e.confl_delete_origin_differs
               + e.confl_delete_missing + e.confl_multiple_unique_conflicts, 0) AS conflicts
    FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
    LEFT JOIN pg_stat_subscription_stats e ON e.subid = s.oid
    WHERE s.subname = $1 AND d.datname = current_database()"""
