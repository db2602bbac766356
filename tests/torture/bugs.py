"""Bugs that are planted in a scratch copy, each of which the torture must catch."""

from dataclasses import dataclass

from tests.support.scratch import Change
from tests.torture.plan import Fault

LEDGER = "services/inventory/ledger"
BATCHING = f"{LEDGER}/service/batching.py"
WRITE = f"{LEDGER}/queries/write.py"
HOLDS = f"{LEDGER}/queries/holds.py"
RECORDING = f"{LEDGER}/service/recording.py"
DATABASE = "shared/db/database.py"
SECONDS = 14.0


@dataclass(frozen=True)
class Bug:
    """What is wrong, and what must break for it to show."""

    name: str
    changes: tuple[Change, ...]
    faults: tuple[Fault, ...] = ()
    seconds: float = SECONDS


def _often(kind: str, target: str, lasts_s: float = 0.6) -> tuple[Fault, ...]:
    """Return the same fault every second."""
    return tuple(
        Fault(float(at), kind, target, lasts_s, waits=False) for at in range(2, int(SECONDS))
    )


_TRANSACTION = (
    "            async with database.hot(tenant_id) as connection, connection.transaction():\n"
    "                return await apply(connection, group)\n"
)
_SESSION = (
    "        async with opened as session, session.begin():\n"
    "            await set_tenant(session, stamp.tenant_id)\n"
    "            yield session\n"
    "            if stamp.is_trial:\n"
    "                await session.flush()\n"
    "                await session.rollback()\n"
)

BUGS = (
    Bug(
        "levels are read, changed and written without a lock",
        (
            Change(
                f"{LEDGER}/queries/lock.py",
                "WHERE item_id = s.item_id AND location_id = s.place_id AND lot_id = $6 FOR UPDATE",
                "WHERE item_id = s.item_id AND location_id = s.place_id AND lot_id = $6",
            ),
        ),
    ),
    Bug(
        "a movement's Idempotency-Key is not kept",
        (
            Change(
                WRITE,
                "FROM entry WHERE key IS NOT NULL AND leg = 0 ORDER BY actor, key",
                "FROM entry WHERE false",
            ),
        ),
    ),
    Bug(
        "a movement's Idempotency-Key is kept after the commit",
        (
            Change(
                WRITE,
                "FROM entry WHERE key IS NOT NULL AND leg = 0 ORDER BY actor, key",
                "FROM entry WHERE false",
            ),
            Change(
                BATCHING,
                _TRANSACTION,
                "            async with database.hot(tenant_id) as connection:\n"
                "                async with connection.transaction():\n"
                "                    found = await apply(connection, group)\n"
                "                for one in found:\n"
                "                    if isinstance(one, Outcome) and one.refusal is None:\n"
                "                        await connection.execute(\n"
                "                            'INSERT INTO idempotency_keys (actor, key,'\n"
                "                            ' fingerprint, answer) VALUES ($1, $2, $3,'\n"
                "                            ' jsonb_build_object(\\'movement_id\\', $4::text))',\n"
                "                            one.change.actor, one.change.key,\n"
                "                            one.change.fingerprint, str(one.change.id))\n"
                "                return found\n",
            ),
        ),
        _often("cut_commits", "postgres"),
    ),
    Bug(
        "the journal is written after the commit",
        (
            Change(
                "shared/journal/record.py",
                "    session.add(\n        JournalRow(\n",
                "    session.info.setdefault('later', []).append(\n        JournalRow(\n",
            ),
            Change(
                DATABASE,
                _SESSION,
                "        async with opened as session:\n"
                "            async with session.begin():\n"
                "                await set_tenant(session, stamp.tenant_id)\n"
                "                yield session\n"
                "                if stamp.is_trial:\n"
                "                    await session.flush()\n"
                "                    await session.rollback()\n"
                "            if session.info.get('later'):\n"
                "                async with session.begin():\n"
                "                    await set_tenant(session, stamp.tenant_id)\n"
                "                    session.add_all(session.info['later'])\n",
            ),
        ),
        _often("cut_commits", "postgres"),
    ),
    Bug(
        "an answer does not wait for its commit to succeed",
        (
            Change(
                BATCHING,
                _TRANSACTION,
                "            async with database.hot(tenant_id) as connection:\n"
                "                transaction = connection.transaction()\n"
                "                await transaction.start()\n"
                "                found = await apply(connection, group)\n"
                "                try:\n"
                "                    await transaction.commit()\n"
                "                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):\n"
                "                    pass\n"
                "                return found\n",
            ),
        ),
        _often("lose_commits", "postgres"),
    ),
    Bug(
        "levels are locked in the order in which they are named",
        (
            Change(
                f"{LEDGER}/queries/lock.py",
                "FROM (SELECT * FROM named ORDER BY item_id, place_id) s",
                "FROM (SELECT * FROM named ORDER BY n) s",
            ),
        ),
    ),
    Bug(
        "what is reserved may be issued (the rule; the table's constraint is behind it)",
        (
            Change(
                f"{LEDGER}/rules/draws.py",
                "    if after < level.reserved + (quantity if is_held else NOTHING):\n",
                "    if after < 0:\n",
            ),
        ),
    ),
    Bug(
        "what expired stays reserved",
        (
            Change(
                HOLDS,
                "UPDATE levels v SET reserved = v.reserved - coalesce((",
                "UPDATE levels v SET reserved = v.reserved - 0 * coalesce((",
            ),
        ),
    ),
    Bug(
        "what is recorded late is judged by what lies there now",
        (
            Change(
                f"{LEDGER}/rules/draws.py",
                "        if lowest + quantity < 0:\n",
                "        if lowest is None:\n",
            ),
            Change(
                f"{LEDGER}/rules/draws.py",
                "    return max(min(level.available, _timeline_of(level).lowest_from(instant)),"
                " NOTHING)\n",
                "    return level.available\n",
            ),
        ),
    ),
    Bug(
        "a transfer takes, and brings nothing",
        (Change(RECORDING, "if outcome.counterspot is not None:\n", "if leg < 0:\n"),),
    ),
    Bug(
        "levels are remembered from one transaction to the next",
        (
            Change(
                RECORDING,
                "        locked = await lock_all(connection, changes)\n",
                "        locked = await lock_all(connection, changes)\n"
                "        for level in locked.balances:\n"
                "            found = _REMEMBERED.setdefault(level, locked.balances[level])\n"
                "            locked.balances[level] = found\n",
            ),
            Change(
                RECORDING,
                "from shared.money import plain\n",
                "from shared.money import plain\n\n_REMEMBERED: dict[Level, Balance] = {}\n",
            ),
        ),
    ),
    Bug(
        "a key answers for any body",
        (
            Change(
                "shared/web/idempotency.py",
                "    if not hmac.compare_digest(stored.fingerprint, key.fingerprint):\n",
                "    if not stored.fingerprint:\n",
            ),
        ),
    ),
    Bug(
        "what was known then includes what was recorded since",
        (
            Change(
                f"{LEDGER}/queries/as_of.py",
                "AND recorded_at > c.summed_at AND recorded_at <= (SELECT known_at FROM edge)\n",
                "AND recorded_at > c.summed_at\n",
            ),
        ),
    ),
    Bug(
        "an assembly goes on where a component is short",
        (
            Change(
                "services/inventory/kits/service/assembling.py",
                "    outcomes = await ledger.apply(session, plan.changes, atomic=True)\n",
                "    outcomes = await ledger.apply(session, plan.changes, atomic=False)\n",
            ),
            Change(
                "services/inventory/kits/service/assembling.py",
                "    if not refused:\n        return\n",
                "    if not outcomes[-1].is_refused_itself:\n        return\n",
            ),
        ),
    ),
    Bug(
        "a serial comes twice",
        (
            Change(
                f"{LEDGER}/rules/serials.py",
                "        if fault is not None:\n            faults.append(fault)\n",
                "",
            ),
        ),
    ),
    Bug(
        "an approval is given twice",
        (
            Change(
                "services/inventory/approvals/service/deciding.py",
                "    if state is not ApprovalState.OPEN:\n"
                "        raise ApprovalClosed(state=state)\n",
                "",
            ),
        ),
    ),
    Bug(
        "a count is posted twice",
        (
            Change(
                "services/inventory/counts/service/reviewing.py",
                "        raise MissingScope(scope=_REVIEW_SCOPE)\n"
                "    if count.state != CountState.OPEN:\n",
                "        raise MissingScope(scope=_REVIEW_SCOPE)\n"
                "    if count.state == CountState.CANCELLED:\n",
            ),
        ),
        seconds=40.0,  # Counts take their time.
    ),
    Bug(
        "a freeze is not looked at",
        (
            Change(
                f"{LEDGER}/rules/judge.py",
                "    if spot.frozen_by is not None or"
                " (counterspot and counterspot.frozen_by is not None):\n",
                "    if spot.frozen_by and counterspot and counterspot.frozen_by:\n",
            ),
        ),
    ),
    Bug(
        "a closed period is not looked at",
        (
            Change(
                RECORDING,
                "        open_from = await find_open_from(connection)\n",
                "        await find_open_from(connection)\n",
            ),
        ),
    ),
    Bug(
        "what ends is dated by a clock that was set back",
        (
            Change(
                "services/inventory/approvals/service/closing.py",
                "max(now, approval.opened_at)",
                "now",
            ),
        ),
        (Fault(2, "skew", "inventory -20", 8.0),),
    ),
)
