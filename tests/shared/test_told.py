import json

import pytest

from shared.told import Told, as_told, tell


def told(capsys):
    written = capsys.readouterr()
    assert written.err == ""
    return written.out


def test_people_read_text_and_programs_json(capsys):
    said = Told("Sealed 3 values.", {"ok": True, "resealed": 3})

    tell(said, as_json=False)
    assert told(capsys) == "Sealed 3 values.\n"
    tell(said, as_json=True)
    assert json.loads(told(capsys)) == {"ok": True, "resealed": 3}


def test_what_is_bad_ends_the_process_and_is_still_told_to_programs(capsys):
    bad = Told("Not as sealed.", {"ok": False, "entries": 9}, is_bad=True)

    with pytest.raises(SystemExit, match="Not as sealed"):
        tell(bad, as_json=False)
    assert told(capsys) == ""
    with pytest.raises(SystemExit) as ended:
        tell(bad, as_json=True)
    assert ended.value.code == 1
    assert json.loads(told(capsys)) == {"ok": False, "entries": 9}


def test_what_could_not_be_done_is_told_to_programs(capsys):
    with pytest.raises(SystemExit):
        tell(as_told(SystemExit("Nothing is sealed yet.")), as_json=True)
    assert json.loads(told(capsys)) == {"ok": False, "error": "Nothing is sealed yet."}


@pytest.mark.parametrize(
    ("said", "content"),
    [('{"frozen": []}', {"frozen": []}), ("Done.", {"ok": True, "said": "Done."})],
)
def test_what_is_json_by_itself_stays_so(capsys, said, content):
    tell(said, as_json=True)
    assert json.loads(told(capsys)) == content
