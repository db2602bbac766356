from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.ledger.rules import Timeline

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = st.integers(0, 12)
QUANTITIES = st.integers(-9, 9).map(Decimal)
CHANGES = st.lists(st.tuples(HOURS, QUANTITIES), max_size=12)


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def timeline(opening: int, *changes: tuple[float, int], later: tuple[float, ...] = ()) -> Timeline:
    known = [(at(hour), Decimal(quantity)) for hour, quantity in changes]
    return Timeline(Decimal(opening), known, [at(hour) for hour in later])


class Plain:
    """The same by its definition: the stock at an instant is the sum of all until then."""

    def __init__(self, opening, changes):
        self.opening, self.changes = opening, list(changes)

    def at(self, hour):
        return self.opening + sum(quantity for when, quantity in self.changes if when <= hour)

    def lowest_from(self, hour):
        later = [when for when, _ in self.changes if when > hour]
        return min(self.at(when) for when in [hour, *later])

    def earliest(self, hour, quantity):
        later = sorted(when for when, _ in self.changes if when > hour)
        fits = (when for when in [hour, *later] if self.lowest_from(when) >= quantity)
        return next(fits, None)


@given(st.integers(0, 9), CHANGES, CHANGES, HOURS, st.integers(1, 20))
def test_it_says_what_the_sums_say(opening, known, added, hour, quantity):
    plain = Plain(opening, [*known, *added])
    built = Timeline(Decimal(opening), [(at(h), q) for h, q in known], [at(h) for h, _ in added])
    for when, change in added:
        built.add(at(when), change)

    assert built.at(at(hour)) == plain.at(hour)
    assert built.lowest_from(at(hour)) == plain.lowest_from(hour)
    earliest = plain.earliest(hour, quantity)
    assert built.earliest(at(hour), Decimal(quantity)) == (
        None if earliest is None else at(earliest)
    )


def test_changes_of_one_instant_count_together():
    found = timeline(0, (1, 5), (1, -5), (2, 3))

    assert found.lowest_from(at(1)) == 0
    assert found.at(at(1)) == 0


def test_before_all_that_is_known_lies_the_opening():
    assert timeline(7).at(at(0)) == timeline(7).lowest_from(at(0)) == 7


def test_a_change_after_the_last_instant_counts_as_the_last():
    found = timeline(1, later=(2, 4))

    found.add(at(9), Decimal(-1))

    assert (found.at(at(3)), found.at(at(4))) == (1, 0)


@pytest.mark.parametrize(("wanted", "hour"), [(2, 0), (5, 1), (6, 6), (9, 6), (10, None)])
def test_the_earliest_instant_is_after_the_last_with_too_little(wanted, hour):
    found = timeline(2, (1, 6), (3, -3), (6, 4))

    assert found.earliest(at(0), Decimal(wanted)) == (None if hour is None else at(hour))
