import base64

import pytest

from shared.journal.keeper import Keeper
from shared.journal.notes import CheckpointNote, NoteInvalid, NoteKey, SigningKey

KEY = SigningKey.from_hex("inventory", "11" * 32)
OTHER = SigningKey.from_hex("inventory", "22" * 32)
NOTE = CheckpointNote("stock/inventory", 1234, b"r" * 32, 17, b"d" * 32)


def written(note=NOTE, key=KEY):
    return key.public.write(note, key.sign(note.text.encode()))


def test_a_checkpoint_is_a_signed_note_of_c2sp():
    """Line for line: origin, size, root, one extension line, and a signature with the key's id."""
    text, signature = written().split("\n\n")
    lines = text.split("\n")
    dash, name, signed = signature.rstrip("\n").split(" ")

    assert lines[:2] == ["stock/inventory", "1234"]
    assert base64.b64decode(lines[2]) == NOTE.root
    assert lines[3] == f"checkpoint 17 {'64' * 32}"
    assert (dash, name) == ("—", "stock/inventory")
    assert base64.b64decode(signed)[:4] == KEY.public.id
    KEY.public.public.verify(base64.b64decode(signed)[4:], (text + "\n").encode())


def test_a_note_is_read_as_it_was_written():
    assert KEY.public.read(written()) == NOTE


def test_the_printed_key_reads_notes_and_nothing_else_is_a_key():
    printed = KEY.public.written

    assert NoteKey.parse(printed + "\n").read(written()) == NOTE
    for wrong in ("", "stock/inventory", printed[:-4], printed.replace("+", "+0", 1)):
        with pytest.raises(NoteInvalid):
            NoteKey.parse(wrong)


def test_signatures_of_others_beside_ours_are_passed_over():
    witness = SigningKey.from_hex("witness", "33" * 32).public
    beside = f"— {witness.origin} {base64.b64encode(witness.id + bytes(64)).decode()}\n"

    assert KEY.public.read(written() + beside) == NOTE


@pytest.mark.parametrize(
    "changed",
    [
        written().replace("1234", "1235"),
        written().replace("checkpoint 17", "checkpoint 18"),
        written().replace("stock/inventory\n1234", "stock/auth\n1234"),
        written(key=OTHER),
        written().split("\n\n")[0] + "\n",
        written().replace("\n\n", "\n"),
        written().replace("1234", "01234"),
        written() .replace("checkpoint 17", "Checkpoint 17"),
        "",
        "\n\n",
    ],
)  # fmt: skip
def test_what_is_no_note_of_the_key_is_refused(changed):
    with pytest.raises(NoteInvalid):
        KEY.public.read(changed)


def test_the_newest_is_kept_in_a_file_of_its_owners_alone(tmp_path):
    keeper = Keeper(KEY.public, tmp_path / "kept")
    older, newer = NOTE, CheckpointNote(NOTE.origin, 1300, NOTE.root, 18, NOTE.digest)

    keeper.keep(written(newer))
    keeper.keep(written(older))

    file = tmp_path / "kept" / "inventory.checkpoint"
    assert file.read_text() == written(newer)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [found.name for found in file.parent.iterdir()] == [file.name]
    assert Keeper(KEY.public, tmp_path / "kept").newest() == newer


def test_without_a_folder_it_is_remembered_while_the_process_lives():
    keeper = Keeper(KEY.public)
    assert keeper.newest() is None

    keeper.keep(written())

    assert keeper.newest() == NOTE


def test_a_file_that_somebody_changed_is_no_memory(tmp_path):
    keeper = Keeper(KEY.public, tmp_path)
    keeper.keep(written())
    keeper.path.write_text(written(key=OTHER))

    with pytest.raises(NoteInvalid):
        Keeper(KEY.public, tmp_path).newest()
