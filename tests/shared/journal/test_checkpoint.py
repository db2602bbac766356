import asyncio
from types import SimpleNamespace
from uuid import uuid4

import asyncpg
import pytest

from shared import journal, metrics
from shared.db import Stamp
from shared.journal.checkpoint import ChainBroken, seal, signed_of
from shared.journal.verification import verify
from tests.shared.journal.conftest import KEY, OTHER_KEY, Noted, everything_sealed
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.stack


async def test_an_empty_journal_verifies(database):
    assert await seal(database, KEY) == 0

    found = await verify(database, KEY)

    assert found.ok
    assert (found.checkpoints, found.entries, found.head) == (0, 0, "00" * 32)


async def test_what_was_sealed_verifies_and_is_sealed_once(database, sealed):
    again = await seal(database, KEY)

    found = await verify(database, KEY)

    assert again == 0
    assert found.ok
    assert found.entries == 10
    assert found.checkpoints >= 3
    assert metrics.audit_chain_verified.labels("reporting")._value.get() > 0


async def test_the_head_changes_with_every_checkpoint(database, sealed, note, superuser):
    before = (await verify(database, KEY)).head
    await note("one more")
    await everything_sealed(database, superuser)

    assert (await verify(database, KEY)).head != before


@pytest.mark.asvs("F06")
@pytest.mark.parametrize("at", [0, 3, 4, 9])
@pytest.mark.parametrize(
    "change",
    [
        """data = '{"text": "another"}'""",
        """data = (data::text || ' ')::json""",
        "actor = actor || chr(31) || 'x'",
        "actor = 'user:test' || chr(31), request_id = 'equest-1'",
        "recorded_at = 'infinity'",
        "actor = 'user:somebody-else'",
        "request_id = ''",
        "type = 'test.noted.v2'",
        "subject = 'note:2'",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "tenant_id = gen_random_uuid()",
        "id = gen_random_uuid()",
    ],
)
async def test_a_changed_entry_is_named(database, sealed, superuser, at, change):
    seq = sealed[at]["seq"]
    await superuser.execute(f"UPDATE reporting.journal SET {change} WHERE seq = $1", seq)  # noqa: S608 - constants.

    found = await verify(database, KEY)

    assert not found.ok
    assert (found.first_difference.kind, found.first_difference.seq) == ("changed", seq)
    assert found.entries <= at


@pytest.mark.parametrize("at", [0, 3, 4, 9])
async def test_a_removed_entry_is_named(database, sealed, superuser, at):
    seq = sealed[at]["seq"]
    await superuser.execute("DELETE FROM reporting.journal WHERE seq = $1", seq)

    found = (await verify(database, KEY)).first_difference

    assert (found.kind, found.seq) == ("removed", seq)


async def test_all_entries_removed_is_seen(database, sealed, superuser):
    await superuser.execute("TRUNCATE reporting.journal")

    found = (await verify(database, KEY)).first_difference

    assert (found.kind, found.seq, found.checkpoint) == ("removed", sealed[0]["seq"], 1)


@pytest.mark.parametrize("at", [0, 3, 4, 9])
async def test_an_inserted_entry_is_named(database, sealed, superuser, at):
    inserted = await superuser.fetchrow(
        """INSERT INTO reporting.journal
           SELECT nextval('reporting.journal_seq'), (xid::text::bigint - 1)::text::xid8,
                  gen_random_uuid(), tenant_id, recorded_at, actor, request_id, type, subject, data
           FROM reporting.journal WHERE seq = $1 RETURNING seq, id""",
        sealed[at]["seq"],
    )

    found = (await verify(database, KEY)).first_difference

    assert (found.kind, found.entry_id) == ("inserted", str(inserted["id"]))


async def test_many_inserted_entries_are_told_from_a_removed_one(database, sealed, superuser):
    """So many that the sealed entry they stand before is more than a row further on."""
    await superuser.execute(
        """INSERT INTO reporting.journal
           SELECT nextval('reporting.journal_seq'), (xid::text::bigint - 1)::text::xid8,
                  gen_random_uuid(), tenant_id, recorded_at, actor, request_id, type, subject, data
           FROM reporting.journal, generate_series(1, 3) WHERE seq = $1""",
        sealed[3]["seq"],
    )

    found = (await verify(database, KEY)).first_difference

    assert (found.kind, found.checkpoint) == ("inserted", 1)


async def test_entries_in_another_order_are_seen(database, sealed, superuser):
    await superuser.execute(
        """UPDATE reporting.journal SET seq = CASE seq WHEN $1 THEN $2 ELSE $1 END
           WHERE seq IN ($1, $2)""",
        sealed[1]["seq"],
        sealed[2]["seq"],
    )

    assert not (await verify(database, KEY)).ok


@pytest.mark.parametrize(
    "forgery",
    [
        "root = sha256(root)",
        "previous = sha256(previous)",
        "signature = sha256(signature) || sha256(root)",
        "signature = ''",
        "leaves = overlay(leaves placing '\\x00'::bytea from 9)",
        "upto_seq = upto_seq + 1",
        "after_seq = after_seq - 1",
        "after_xid = '1'",
        "tree_size = tree_size + 1",
        "peaks = overlay(peaks placing '\\x00'::bytea from 1)",
        "peaks = ''",
        "version = 1, tree_size = NULL, peaks = NULL",
        "sealed_at = sealed_at + interval '1 microsecond'",
    ],
)
async def test_a_forged_checkpoint_is_named(database, sealed, superuser, forgery):
    await superuser.execute(f"UPDATE reporting.checkpoints SET {forgery} WHERE number = 2")  # noqa: S608 - constants.

    found = (await verify(database, KEY)).first_difference

    assert (found.kind, found.checkpoint) == ("checkpoint_forged", 2)


async def test_a_checkpoint_emptied_past_its_constraints_is_forged(database, sealed, superuser):
    checks = {"checkpoints_check": "octet_length(leaves) = size * 40",
              "checkpoints_size_check": "size > 0"}  # fmt: skip
    for name in checks:
        await superuser.execute(f"ALTER TABLE reporting.checkpoints DROP CONSTRAINT {name}")
    try:
        await superuser.execute("UPDATE reporting.checkpoints SET leaves = '', size = 0")

        found = (await verify(database, KEY)).first_difference
    finally:
        await superuser.execute("TRUNCATE reporting.checkpoints, reporting.verifications")
        for name, rule in checks.items():
            await superuser.execute(
                f"ALTER TABLE reporting.checkpoints ADD CONSTRAINT {name} CHECK ({rule})"
            )

    assert (found.kind, found.checkpoint) == ("checkpoint_forged", 1)


async def test_a_chain_made_with_another_key_is_forged(database, note, small, superuser):
    await note("tampered with", "and sealed anew")
    async with asyncio.timeout(PATIENCE_S):
        while not await seal(database, OTHER_KEY):
            pass

    assert (await verify(database, OTHER_KEY)).ok
    found = (await verify(database, KEY)).first_difference
    assert (found.kind, found.checkpoint) == ("checkpoint_forged", 1)


async def test_another_key_seals_nothing_on_top_of_the_chain(database, sealed, note, superuser):
    await note("late")

    with pytest.raises(ChainBroken):
        await seal(database, OTHER_KEY)

    found = await verify(database, KEY)
    assert (found.ok, found.entries) == (True, 10)


async def test_one_checkpoint_signed_with_another_key_is_forged(database, sealed, superuser):
    last = await superuser.fetchrow("SELECT * FROM reporting.checkpoints ORDER BY number DESC")
    await superuser.execute(
        "UPDATE reporting.checkpoints SET signature = $1 WHERE number = $2",
        OTHER_KEY.sign(
            signed_of(SimpleNamespace(**last, _asdict=lambda: dict(last)), OTHER_KEY.public)
        ),
        last["number"],
    )

    found = (await verify(database, KEY)).first_difference

    assert (found.kind, found.checkpoint) == ("checkpoint_forged", last["number"])


@pytest.mark.parametrize("number", [1, 2])
async def test_a_missing_checkpoint_is_named(database, sealed, superuser, number):
    await superuser.execute("DELETE FROM reporting.checkpoints WHERE number = $1", number)

    found = (await verify(database, KEY)).first_difference

    assert (found.kind, found.checkpoint) == ("checkpoint_missing", number)


async def test_checkpoints_renumbered_over_a_gap_are_forged(database, sealed, superuser):
    await superuser.execute("DELETE FROM reporting.checkpoints WHERE number = 2")
    await superuser.execute("UPDATE reporting.checkpoints SET number = 2 WHERE number = 3")

    found = (await verify(database, KEY)).first_difference

    assert (found.kind, found.checkpoint) == ("checkpoint_forged", 2)


async def test_an_entry_of_a_running_transaction_is_sealed_after_it_ends(
    database, note, small, superuser
):
    async with database.transaction(Stamp(uuid4(), "user:slow")) as slow:
        journal.record(slow, Noted(text="slow"))
        await slow.flush()
        await note("quick")
        early = await seal(database, KEY)
    await everything_sealed(database, superuser)

    found = await verify(database, KEY)

    assert early == 0
    assert found.ok
    assert found.entries == 2


async def test_many_sealers_at_once_make_one_chain(database, note, small, superuser):
    await note(*(f"entry {number}" for number in range(20)))

    await asyncio.gather(*(seal(database, KEY) for _ in range(5)))
    await everything_sealed(database, superuser)

    found = await verify(database, KEY)
    assert found.ok
    assert found.entries == 20


async def test_verifying_while_sealing_raises_no_alarm(database, note, small, superuser):
    async def grow() -> None:
        for number in range(15):
            await note(f"entry {number}")
            await seal(database, KEY)

    growing = asyncio.create_task(grow())
    found = []
    while not growing.done():
        found.append(await verify(database, KEY))
    await growing

    assert len(found) > 3
    assert [verification.first_difference for verification in found] == [None] * len(found)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET actor = ''",
        "UPDATE checkpoints SET signature = ''",
        "DELETE FROM journal",
        "DELETE FROM checkpoints",
        "TRUNCATE journal",
        "TRUNCATE checkpoints",
    ],
)
async def test_the_service_itself_may_only_add(database, databases, statement):
    connection = await asyncpg.connect(databases.dsn("reporting_app"))

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()
