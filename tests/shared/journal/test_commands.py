"""`python -m services.<name> verify|checkpoint`, on a journal that somebody cut off."""

import json
from types import SimpleNamespace

import httpx
import pytest

from shared.journal import commands
from shared.journal.keeper import Keeper
from tests.shared.journal.conftest import KEY, OTHER_KEY, everything_sealed
from tests.support.told import said_by

pytestmark = [pytest.mark.stack, pytest.mark.asvs("F06")]


class Outside:
    """A server elsewhere that keeps what it is sent."""

    def __init__(self, status):
        self.status = status
        self.kept = []

    async def answer(self, request):
        self.kept.append(request.content.decode())
        return httpx.Response(self.status)


@pytest.fixture
def run(database):
    async def command(*words, key=KEY, outside=None):
        transport = httpx.MockTransport(outside.answer) if outside else None
        resources = SimpleNamespace(
            service="reporting",
            database=database,
            signing_key=key,
            keeper=Keeper(key.public),
            archives=None,
            proving_types=frozenset(),
            client=None,
            find_holds=None,
            http=httpx.AsyncClient(transport=transport),
        )
        try:
            return said_by(await commands.run(resources, list(words)))
        finally:
            await resources.http.aclose()

    return command


async def test_a_kept_checkpoint_is_a_beginning_of_what_came_after(
    run, sealed, note, database, superuser, tmp_path
):
    file = tmp_path / "kept.checkpoint"
    await run("checkpoint", "store", str(file))
    assert await run("checkpoint", "check", str(file)) == (
        "The journal goes on from this checkpoint: 10 entries then, 10 now."
    )
    await note("one", "two", "three")
    await everything_sealed(database, superuser)

    said = await run("checkpoint", "check", str(file))

    assert said == "The journal goes on from this checkpoint: 10 entries then, 13 now."
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().startswith("stock/reporting\n10\n")


@pytest.mark.parametrize("anew", [False, True])
async def test_entries_cut_off_with_their_checkpoints_are_caught_by_what_was_kept(
    run, sealed, note, database, superuser, tmp_path, anew
):
    """The database agrees with itself: only the checkpoint kept outside tells."""
    file = tmp_path / "kept.checkpoint"
    await run("checkpoint", "store", str(file))
    await superuser.execute(
        """DELETE FROM reporting.checkpoints WHERE number > 2;
           DELETE FROM reporting.journal WHERE (xid, seq) >
               (SELECT upto_xid, upto_seq FROM reporting.checkpoints WHERE number = 2)"""
    )
    if anew:
        await note(*(f"another {number}" for number in range(6)))
        await everything_sealed(database, superuser)
    assert (await run("verify")).startswith("Verified: ")

    with pytest.raises(SystemExit, match="made anew" if anew else "cut off"):
        await run("checkpoint", "check", str(file))


async def test_a_journal_emptied_is_caught(run, sealed, superuser, tmp_path):
    file = tmp_path / "kept.checkpoint"
    await run("checkpoint", "store", str(file))
    await superuser.execute("TRUNCATE reporting.journal, reporting.checkpoints")

    with pytest.raises(SystemExit, match=r"cut off.* 10 entries"):
        await run("checkpoint", "check", str(file))


@pytest.mark.parametrize("content", ["", "nothing", None, b"\xff"])
async def test_what_is_no_checkpoint_proves_nothing(run, sealed, tmp_path, content):
    file = tmp_path / "kept.checkpoint"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(SystemExit, match="proves nothing"):
        await run("checkpoint", "check", str(file))


async def test_a_checkpoint_of_another_key_proves_nothing(run, sealed, tmp_path):
    file = tmp_path / "kept.checkpoint"
    await run("checkpoint", "store", str(file))

    with pytest.raises(SystemExit, match="not signed with the journal's key"):
        await run("checkpoint", "check", str(file), key=OTHER_KEY)


async def test_the_newest_is_printed_and_sent(run, sealed):
    outside = Outside(204)

    printed = await run("checkpoint", "print")
    said = await run("checkpoint", "send", "https://elsewhere.example/kept", outside=outside)

    assert outside.kept == [printed + "\n"]
    assert "204" in said
    assert KEY.public.read(printed + "\n").size == 10


async def test_who_refuses_it_is_told(run, sealed):
    with pytest.raises(SystemExit, match="answered 500"):
        await run("checkpoint", "send", "https://elsewhere.example/", outside=Outside(500))


async def test_before_the_first_one_there_is_nothing_to_keep(run, database):
    with pytest.raises(SystemExit, match="Nothing is sealed yet"):
        await run("checkpoint", "print")


async def test_verify_names_the_entry_and_notes_what_it_found(run, sealed, superuser):
    await superuser.execute(
        "UPDATE reporting.journal SET actor = '' WHERE seq = $1", sealed[7]["seq"]
    )

    with pytest.raises(SystemExit, match=f"entry {sealed[7]['seq']} .*{sealed[7]['id']}.*changed"):
        await run("verify")

    row = await superuser.fetchrow("SELECT * FROM reporting.verifications")
    assert row["is_full"]
    assert '"changed"' in row["difference"]


async def test_verify_shows_how_far_it_is(run, sealed, monkeypatch, capsys):
    monkeypatch.setattr(commands, "PROGRESS_ENTRIES", 1)

    assert await run("verify") == "Verified: 10 entries in 3 checkpoints."
    assert capsys.readouterr().err == "10 entries\n"


async def test_new_entries_alone_are_verified_after_that(run, sealed, note, database, superuser):
    await run("verify")
    await superuser.execute(
        "UPDATE reporting.journal SET actor = '' WHERE seq = $1", sealed[0]["seq"]
    )
    await note("new")
    await everything_sealed(database, superuser)

    assert (await run("verify", "new")).startswith("Verified: 11 entries")
    with pytest.raises(SystemExit, match="changed"):
        await run("verify")


@pytest.mark.parametrize(
    "words", [["checkpoint"], ["checkpoint", "sing"], ["verify", "all"], ["checkpoint", "check"]]
)
async def test_other_words_are_answered_with_those_there_are(run, words):
    with pytest.raises(SystemExit, match=r"usage: .* checkpoint store"):
        await run(*words)


async def test_the_key_is_printed_as_c2sp_has_it(run):
    assert (await run("checkpoint", "key")).startswith("stock/reporting+")


async def test_changes_say_who_did_what_since_a_moment_and_not_what_it_says(run, sealed):
    told = json.loads(await run("changes", "2000-01-01T00:00:00+00:00"))
    later = json.loads(await run("changes", "2200-01-01T00:00:00Z"))

    assert (told["service"], len(told["entries"]), told["has_more"]) == ("reporting", 10, False)
    assert told["entries"][0].keys() == {
        "seq", "id", "recorded_at", "tenant_id", "actor", "request_id", "type", "subject",
    }  # fmt: skip
    assert later["entries"] == []
    for moment in ("yesterday", "2026-11-20T12:00:00"):
        with pytest.raises(SystemExit, match="no moment with an offset"):
            await run("changes", moment)


async def test_evidence_has_head_key_proof_and_changes_also_where_it_does_not_hold(
    run, sealed, superuser
):
    told = json.loads(await run("evidence", "2000-01-01T00:00:00Z"))
    altering = "UPDATE reporting.journal SET actor = 'nobody' WHERE seq = $1"
    await superuser.execute(altering, sealed[4]["seq"])
    altered = json.loads(await run("evidence", "2000-01-01T00:00:00Z"))

    assert (told["holds"], altered["holds"]) == (True, False)
    assert told["verification"].startswith("Verified: 10 entries")
    assert altered["verification"].startswith(f"Not as sealed: entry {sealed[4]['seq']}")
    assert told["head"] == altered["head"]
    assert told["key"] == KEY.public.written
    assert len(altered["changes"]["entries"]) == 10
