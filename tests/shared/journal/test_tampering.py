"""What the owner of the database did to a journal, in real SQL, and what is said of it."""

import pytest

from shared import metrics
from shared.clock import utc_now
from shared.journal import checkpoint
from shared.journal.checkpoint import ChainBroken, records_of, seal
from shared.journal.keeper import Keeper
from shared.journal.merkle import Tree
from shared.journal.verification import find_verified, note_verification, verify
from shared.journal.watch import JournalWatch
from tests.shared.journal.conftest import KEY, everything_sealed

pytestmark = [pytest.mark.stack, pytest.mark.asvs("F06")]


@pytest.fixture
def keeper(tmp_path):
    """A worker that keeps the newest checkpoint in a folder."""
    return Keeper(KEY.public, tmp_path)


@pytest.fixture
async def kept(database, sealed, note, superuser, keeper):
    """Ten entries sealed, and two more whose checkpoint was kept beside the database."""
    await note("eleven", "twelve")
    await everything_sealed(database, superuser, keeper=keeper)
    return await superuser.fetch("SELECT seq, id FROM reporting.journal ORDER BY xid, seq")


async def found_in(database, **more):
    verification = await verify(database, KEY, **more)
    return verification.first_difference


async def test_functions_that_lie_hide_nothing(database, sealed, superuser):
    """The owner edits an entry, and lets every function about it tell the old story."""
    seq = sealed[4]["seq"]
    await superuser.execute("CREATE TABLE public.story AS TABLE reporting.journal")
    await superuser.execute("GRANT SELECT ON public.story TO PUBLIC")
    originals = [
        row["definition"]
        for row in await superuser.fetch(
            "SELECT pg_get_functiondef(oid) AS definition FROM pg_proc "
            "WHERE pronamespace = 'reporting'::regnamespace AND proname ~ '^journal_'"
        )
    ]
    for definition in originals:
        await superuser.execute(definition.replace("FROM journal", "FROM public.story"))
    await superuser.execute("UPDATE reporting.journal SET actor = 'user:x' WHERE seq = $1", seq)

    found = await found_in(database)

    for definition in originals:
        await superuser.execute(definition)
    await superuser.execute("DROP TABLE public.story")
    assert (found.kind, found.seq) == ("changed", seq)


async def test_a_view_in_the_place_of_the_journal_is_seen(database, sealed, superuser):
    await superuser.execute(
        "ALTER TABLE reporting.journal RENAME TO real; "
        "CREATE VIEW reporting.journal AS SELECT * FROM reporting.real; "
        "GRANT SELECT ON reporting.journal TO reporting_verifier, reporting_app"
    )
    try:
        found = await found_in(database)
    finally:
        await superuser.execute(
            "DROP VIEW reporting.journal; ALTER TABLE reporting.real RENAME TO journal"
        )

    assert found.kind == "replaced"


@pytest.mark.parametrize("also", ["", "UPDATE reporting.journal SET actor = 'user:x'"])
async def test_with_all_checkpoints_removed_nothing_is_sealed_anew(
    database, kept, superuser, keeper, also
):
    await superuser.execute(f"TRUNCATE reporting.checkpoints; {also}")

    for memory in (keeper, Keeper(KEY.public, keeper.path.parent)):  # Running on, or started anew.
        with pytest.raises(ChainBroken):
            await seal(database, KEY, memory)
        found = await found_in(database, keeper=memory)
        assert (found.kind, found.checkpoint) == ("checkpoint_missing", 1)
    assert await superuser.fetchval("SELECT count(*) FROM reporting.checkpoints") == 0


async def test_without_a_folder_an_earlier_verification_remembers(database, sealed, superuser):
    """A worker elsewhere, started anew: what was verified once is not sealed a second time."""
    await note_verification(database, KEY, await verify(database, KEY), is_full=True, now=utc_now())
    await superuser.execute("TRUNCATE reporting.checkpoints")

    with pytest.raises(ChainBroken):
        await seal(database, KEY)
    assert (await found_in(database)).kind == "checkpoint_missing"


async def test_with_nothing_kept_outside_all_can_be_removed(database, sealed, superuser):
    """What remains possible, and why a checkpoint is kept elsewhere: docs/security.md."""
    await superuser.execute("TRUNCATE reporting.checkpoints, reporting.verifications")
    await superuser.execute("UPDATE reporting.journal SET actor = 'user:x'")
    await everything_sealed(database, superuser)

    assert await found_in(database) is None


@pytest.mark.parametrize("anew", [False, True])
async def test_the_newest_checkpoint_cut_off_and_its_entries_edited(
    database, kept, note, superuser, keeper, anew
):
    """Even where a worker without any memory sealed them again."""
    number = await superuser.fetchval("SELECT max(number) FROM reporting.checkpoints")
    await superuser.execute("DELETE FROM reporting.checkpoints WHERE number = $1", number)
    await superuser.execute(
        "UPDATE reporting.journal SET actor = 'user:x' WHERE seq = $1", kept[-1]["seq"]
    )
    if anew:
        await everything_sealed(database, superuser)

    found = await found_in(database, keeper=keeper)

    kind = "checkpoint_forged" if anew else "checkpoint_missing"
    assert (found.kind, found.checkpoint) == (kind, number)
    with pytest.raises(ChainBroken):
        await seal(database, KEY, keeper)


async def test_entries_cut_off_with_their_checkpoints_are_missed(database, kept, superuser, keeper):
    await superuser.execute("DELETE FROM reporting.checkpoints WHERE number > 2")
    await superuser.execute(
        """DELETE FROM reporting.journal WHERE (xid, seq) >
           (SELECT upto_xid, upto_seq FROM reporting.checkpoints WHERE number = 2)"""
    )

    found = await found_in(database, keeper=keeper)

    assert (found.kind, found.checkpoint) == ("checkpoint_missing", 3)


async def test_an_entry_of_a_transaction_to_come_is_named(database, sealed, superuser):
    """No feed shows it and no checkpoint covers it, before the database has come so far."""
    row = await superuser.fetchrow(
        """INSERT INTO reporting.journal
           SELECT nextval('reporting.journal_seq'), (xid::text::bigint + 1000000)::text::xid8,
                  gen_random_uuid(), tenant_id, recorded_at, actor, request_id, type, subject, data
           FROM reporting.journal WHERE seq = $1 RETURNING seq, id""",
        sealed[-1]["seq"],
    )

    found = await found_in(database)

    assert (found.kind, found.seq, found.entry_id) == ("future", row["seq"], str(row["id"]))


async def test_an_entry_moved_to_another_transaction_is_named(database, sealed, superuser):
    """In the same place of the order: the leaf holds the transaction too."""
    await superuser.execute(
        "UPDATE reporting.journal SET xid = (xid::text::bigint - 1)::text::xid8 WHERE seq = $1",
        sealed[0]["seq"],
    )

    found = await found_in(database)

    assert (found.kind, found.seq) == ("changed", sealed[0]["seq"])


async def test_fields_that_run_into_one_another_are_told_apart(database, note, superuser, small):
    """Of version 1, `a\\x1fb` and `c` were `a` and `b\\x1fc`."""
    await note("one")
    await superuser.execute("UPDATE reporting.journal SET actor = E'a\\x1fb', request_id = 'c'")
    await everything_sealed(database, superuser)
    await superuser.execute("UPDATE reporting.journal SET actor = 'a', request_id = E'b\\x1fc'")

    assert (await found_in(database)).kind == "changed"


async def test_what_was_verified_before_is_not_read_again(database, sealed, note, superuser):
    first = await verify(database, KEY)
    await note_verification(database, KEY, first, is_full=True, now=utc_now())
    await note("new")
    await everything_sealed(database, superuser)
    read = []

    since = await find_verified(database, KEY)
    found = await verify(database, KEY, since=since, progress=read.append)

    assert (found.ok, found.entries, read) == (True, 11, [11])
    assert found.head == (await verify(database, KEY)).head


async def test_what_was_changed_among_the_new_ones_is_named(database, sealed, note, superuser):
    await note_verification(database, KEY, await verify(database, KEY), is_full=True, now=utc_now())
    await note("new")
    await everything_sealed(database, superuser)
    seq = await superuser.fetchval(
        "UPDATE reporting.journal SET actor = '' WHERE seq = "
        "(SELECT max(seq) FROM reporting.journal) RETURNING seq"
    )

    found = await found_in(database, since=await find_verified(database, KEY))

    assert (found.kind, found.seq) == ("changed", seq)


@pytest.mark.parametrize(
    "forgery",
    ["is_full = NOT is_full", "verified_at = verified_at + interval '1s'", "signature = ''",
     "note = replace(note, 'checkpoint', 'Checkpoint')"],
)  # fmt: skip
async def test_nobody_can_say_that_it_was_verified(database, sealed, superuser, forgery):
    await note_verification(database, KEY, await verify(database, KEY), is_full=True, now=utc_now())
    assert await find_verified(database, KEY)
    await superuser.execute(f"UPDATE reporting.verifications SET {forgery}")  # noqa: S608 - constants.

    assert await find_verified(database, KEY) is None


async def test_a_worker_refuses_tells_and_goes_on_when_all_is_as_it_was(
    database, kept, superuser, keeper
):
    watch = JournalWatch(database, KEY, keeper)
    broken = metrics.audit_chain_broken.labels("reporting")._value
    await watch.verify()
    assert broken.get() == 0
    await superuser.execute("CREATE TABLE public.away AS TABLE reporting.checkpoints")
    await superuser.execute("TRUNCATE reporting.checkpoints")

    await watch.seal()
    assert broken.get() == 1
    await superuser.execute(
        "INSERT INTO reporting.checkpoints TABLE public.away; DROP TABLE public.away"
    )
    await watch.seal()
    await watch.verify_new()

    assert broken.get() == 0
    assert await superuser.fetchval("SELECT count(*) FROM reporting.verifications") == 1


async def test_checkpoints_of_before_stay_and_the_tree_holds_their_entries(
    database, note, small, superuser
):
    """Two of version 1, as the release before sealed them, then the tree over all."""
    await note(*(f"old {number}" for number in range(6)))
    await seal_as_before(database, superuser)
    assert await superuser.fetchval("SELECT count(*) FROM reporting.checkpoints") == 2
    assert (await verify(database, KEY)).ok

    await note("new")
    await everything_sealed(database, superuser)

    found = await verify(database, KEY)
    assert (found.ok, found.entries) == (True, 7)
    assert KEY.public.read(found.note).size == 7
    for at in (0, 5, 6):
        seq = await superuser.fetchval(
            "SELECT seq FROM reporting.journal ORDER BY xid, seq OFFSET $1 LIMIT 1", at
        )
        await superuser.execute(
            "UPDATE reporting.journal SET subject = subject || 'x' WHERE seq = $1", seq
        )
        difference = await found_in(database)
        assert (difference.kind, difference.seq) == ("changed", seq)
        await superuser.execute("UPDATE reporting.journal SET subject = 'note:1'")


async def seal_as_before(database, superuser):
    """Seal as version 1 did: a root over the checkpoint's own entries, the digest signed."""
    while True:
        async with database.engine.begin() as connection:
            last = await checkpoint.last_of(connection)
            after = (last.upto_xid, last.upto_seq) if last else (0, 0)
            await checkpoint.become_verifier(connection, KEY)
            bounds = {"after_xid": after[0], "after_seq": after[1], "upto_xid": 2**62,
                      "upto_seq": 2**62, "most": checkpoint.CHECKPOINT_SIZE_MAX}  # fmt: skip
            query = checkpoint.entries_query("reporting", 1)
            rows = (await connection.execute(query, bounds)).all()
        if not rows:
            return
        leaves = b"".join(row.seq.to_bytes(8) + row.leaf for row in rows)
        alone = Tree()
        alone.add(records_of(leaves))
        values = {
            "number": last.number + 1 if last else 1, "after_xid": after[0], "after_seq": after[1],
            "upto_xid": rows[-1].xid, "upto_seq": rows[-1].seq, "size": len(rows),
            "leaves": leaves, "root": alone.root(),
            "previous": checkpoint.digest_of(last) if last else checkpoint.GENESIS,
            "sealed_at": utc_now(),
        }  # fmt: skip
        signature = KEY.sign(checkpoint._digest(values))
        await superuser.execute(
            """INSERT INTO reporting.checkpoints (number, after_xid, after_seq, upto_xid, upto_seq,
               size, leaves, root, previous, sealed_at, signature)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
            *values.values(), signature,
        )  # fmt: skip
