"""Movements of several lots, compared with what the history says of each at every instant."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.ledger.rules import (
    Balance,
    Change,
    Kind,
    Lot,
    Lots,
    Timeline,
    item_reference,
    judge,
    late_levels,
    levels_of,
    lot_name,
    place_reference,
)
from tests.support.ledger import NOW, PLACES, SPOTS, ago

ITEM, PLACE_IDS = UUID(int=1), list(PLACES.values())
TRACKED = {pair: spot._replace(tracking="lot") for pair, spot in SPOTS.items()}
# By name: the first expires first, the third has expired, the last never does.
EXPIRIES = {"A": NOW.date() + timedelta(9), "B": NOW.date() + timedelta(90), "C": date(2026, 1, 1),
            "D": None}  # fmt: skip
LOTS = {
    name: Lot(UUID(int=20 + n), name, expires_on, ago(10 - n))
    for n, (name, expires_on) in enumerate(EXPIRIES.items())
}
LEVELS = [(ITEM, place, lot.id) for place in PLACE_IDS for lot in LOTS.values()]

amounts = st.integers(1, 12).map(Decimal)
hours = st.none() | st.integers(1, 6)
places = st.sampled_from(sorted(PLACES))
names = st.sampled_from(sorted(LOTS))


@st.composite
def asked_changes(draw) -> Change:
    kind = draw(st.sampled_from([Kind.RECEIPT, Kind.ISSUE, Kind.ISSUE, Kind.TRANSFER,
                                 Kind.WRITE_OFF]))  # fmt: skip
    place, back, quantity = draw(places), draw(hours), draw(amounts)
    needs_lot = kind is Kind.RECEIPT or draw(st.booleans())
    counterplace = next(name for name in PLACES if name != place)
    return Change(
        uuid4(), kind, item_reference("A"), place_reference(place), "user:1", "r",
        quantity=quantity if kind is Kind.RECEIPT else -quantity,
        counterplace=place_reference(counterplace) if kind is Kind.TRANSFER else None,
        occurred_at=None if back is None else ago(back),
        lot=lot_name(draw(names)) if needs_lot else None,
    )  # fmt: skip


class Ledger:
    """Ledger rows by level, as they were recorded."""

    def __init__(self):
        self.rows = []  # (level, instant, quantity)

    def at(self, level, instant):
        return sum((q for of, at, q in self.rows if of == level and at <= instant), Decimal(0))

    def lowest(self):
        instants = {at for _, at, _ in self.rows}
        return min((self.at(level, at) for level in LEVELS for at in instants), default=0)

    def judge(self, *changes):
        lots = Lots(
            named={(ITEM, lot_name(name).key): lot for name, lot in LOTS.items()},
            at={(ITEM, place): {lot.id: lot for lot in LOTS.values()} for place in PLACE_IDS},
        )
        balances = {}
        for level in LEVELS:
            own = [row for row in self.rows if row[0] == level]
            total = sum((quantity for *_, quantity in own), Decimal(0))
            balances[level] = Balance(total, moved_at=max((at for _, at, _ in own), default=None))
        for level, late in late_levels(changes, TRACKED, balances, NOW, lots).items():
            since = [(at, q) for of, at, q in self.rows if of == level and at > late.since]
            opening = balances[level].on_hand - sum((q for _, q in since), Decimal(0))
            balances[level].timeline = Timeline(opening, since, [*late.instants, NOW])
        outcomes = judge(changes, TRACKED, balances, NOW, atomic=False, lots=lots)
        for asked, outcome in zip(changes, outcomes, strict=True):
            self.record(asked, outcome)
        return outcomes, balances

    def record(self, asked, outcome):
        for part in outcome.parts:
            here = TRACKED[asked.item, asked.place].place_id
            self.rows.append(((ITEM, here, part.lot.id), outcome.occurred_at, part.quantity))
            if asked.counterplace is not None:
                there = TRACKED[asked.item, asked.counterplace].place_id
                self.rows.append(((ITEM, there, part.lot.id), outcome.occurred_at, -part.quantity))


groups = st.lists(st.lists(asked_changes(), min_size=1, max_size=5), min_size=1, max_size=6)


@given(groups)
def test_levels_are_the_sum_of_their_ledger_and_nothing_is_ever_below_zero(calls):
    ledger = Ledger()
    for changes in calls:
        _, balances = ledger.judge(*changes)

        assert ledger.lowest() >= 0
        for level in LEVELS:
            assert balances[level].on_hand == ledger.at(level, NOW)


@given(groups)
def test_the_parts_of_a_movement_are_what_was_asked(calls):
    ledger = Ledger()
    for changes in calls:
        outcomes, _ = ledger.judge(*changes)

        for asked, outcome in zip(changes, outcomes, strict=True):
            if outcome.refusal is None:
                assert sum(part.quantity for part in outcome.parts) == asked.quantity
                assert all(part.quantity * asked.quantity > 0 for part in outcome.parts)
                assert len({part.lot.id for part in outcome.parts}) == len(outcome.parts)
            else:
                assert outcome.parts == ()


@given(groups, places, amounts)
def test_what_expires_first_is_taken_first_and_what_expired_is_not_issued(calls, place, quantity):
    ledger = Ledger()
    for changes in calls:
        ledger.judge(*changes)
    here = PLACES[place]
    before = {name: ledger.at((ITEM, here, lot.id), NOW) for name, lot in LOTS.items()}
    good = [name for name in ("A", "B", "D") if before[name]]
    issue = Change(
        uuid4(), Kind.ISSUE, item_reference("A"), place_reference(place), "user:1", "r",
        quantity=-quantity,
    )  # fmt: skip

    [outcome], _ = ledger.judge(issue)

    there = sum(before[name] for name in good)
    assert (outcome.refusal is None) is (quantity <= there)
    if outcome.refusal is not None:
        assert (outcome.available, outcome.expired) == (there, before["C"])
        return
    taken = [part.lot.code for part in outcome.parts]
    assert taken == good[: len(taken)]
    for part in outcome.parts[:-1]:
        assert -part.quantity == before[part.lot.code]


@given(groups, hours.filter(bool), amounts)
def test_a_late_issue_that_is_refused_fits_from_the_instant_that_is_told(calls, back, quantity):
    ledger = Ledger()
    for changes in calls:
        ledger.judge(*changes)
    issue = Change(
        uuid4(), Kind.ISSUE, item_reference("A"), place_reference("MAIN"), "user:1", "r",
        quantity=-quantity, occurred_at=ago(back),
    )  # fmt: skip

    [outcome], _ = ledger.judge(issue)

    if outcome.refusal is not None and outcome.fits_from is not None:
        assert outcome.fits_from > issue.occurred_at
        [then], _ = ledger.judge(issue._replace(occurred_at=outcome.fits_from))
        assert then.refusal is None
        assert ledger.lowest() >= 0


def test_a_change_may_touch_the_lots_where_it_takes_from_and_where_it_goes():
    lots = Lots(at={(ITEM, PLACES["MAIN"]): {LOTS["A"].id: LOTS["A"]}})
    transfer = Change(
        uuid4(), Kind.TRANSFER, item_reference("A"), place_reference("MAIN"), "user:1", "r",
        quantity=Decimal(-1), counterplace=place_reference("SHOP"),
    )  # fmt: skip

    touched = levels_of(transfer, TRACKED, lots)

    assert touched == [(ITEM, place, LOTS["A"].id) for place in PLACE_IDS]
