import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.torture.clocks import MISSING, environment_of, find_library, set_clock

NOW = "from datetime import *; print(datetime.now(timezone.utc).isoformat())"


@pytest.mark.parametrize("skew_s", [300, -300, -3600])
def test_the_clock_of_a_process_is_as_wrong_as_it_is_told(tmp_path: Path, skew_s: int):
    library = find_library()
    if library is None:
        pytest.skip(MISSING)
    clock = tmp_path / "clock"
    set_clock(clock, skew_s)
    shown = subprocess.run(  # noqa: S603 - our own command.
        [sys.executable, "-c", NOW],
        env=environment_of(clock, library), check=True, capture_output=True, text=True,
    )  # fmt: skip

    difference = datetime.fromisoformat(shown.stdout.strip()) - datetime.now(UTC)
    assert abs(difference - timedelta(seconds=skew_s)) < timedelta(seconds=60)
