"""That the suite's own proof still finds what it takes out: `make prove-attack` does the rest."""

import pytest

from tests.attack.controls import CONTROLS
from tests.support.tree import ROOT

CONTROLS_MIN = 20


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_what_is_taken_out_is_there_once(control):
    for change in control.changes:
        assert (ROOT / change.path).read_text().count(change.old) == 1, change
        assert change.old != change.new


def test_each_is_noticed_by_a_test_that_there_is():
    for control in CONTROLS:
        file, _, name = control.tests.partition("::")
        text = (ROOT / "tests" / "attack" / file).read_text()
        assert f"def {name.partition('[')[0]}(" in text, control.name
        assert f'attempts.of("{control.attack}")' in text or 'attempts.of(f"' in text, control.name
    assert len({control.name for control in CONTROLS}) == len(CONTROLS) >= CONTROLS_MIN
