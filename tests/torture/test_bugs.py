"""That the bugs of `make prove-torture` can still be planted; it does the rest."""

import pytest

from tests.support.tree import ROOT
from tests.torture.bugs import BUGS

BUGS_MIN = 10


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_what_is_changed_is_there_once(bug):
    for change in bug.changes:
        assert (ROOT / change.path).read_text().count(change.old) == 1, change
        assert change.old != change.new


def test_there_are_as_many_as_are_promised():
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= BUGS_MIN
