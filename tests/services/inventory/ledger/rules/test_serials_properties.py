"""Serials at two places: whatever happens, each unit is in one place at every instant."""

from copy import copy
from decimal import Decimal
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.ledger.rules import (
    NO_LOT,
    OUTSIDE,
    UNIT,
    Balance,
    Change,
    Kind,
    Lots,
    Refusal,
    SerialReason,
    Timeline,
    follow_lots,
    item_reference,
    judge,
    late_levels,
    levels_of,
    lot_name,
    place_reference,
)
from tests.support.ledger import ITEMS, NOW, PLACES, SPOTS, ago

ITEM = ITEMS["A"]
WITH_SERIALS = {pair: spot._replace(tracking="serial") for pair, spot in SPOTS.items()}
SERIALS = ["S1", "S2", "S3"]
KINDS = [
    Kind.RECEIPT, Kind.RECEIPT, Kind.ISSUE, Kind.TRANSFER, Kind.RETURN, Kind.COUNT_CORRECTION
]  # fmt: skip
hours = st.none() | st.integers(1, 40)


@st.composite
def asked_changes(draw):
    hour, kind = draw(hours), draw(st.sampled_from(KINDS))
    here, there = draw(st.permutations(["MAIN", "SHOP"]))
    is_count = kind is Kind.COUNT_CORRECTION
    named = draw(st.lists(st.sampled_from(SERIALS), unique=True, min_size=not is_count))
    number = Decimal(len(named))
    return Change(
        uuid4(), kind, item_reference("A"), place_reference(here), "user:1", "r",
        quantity=None if is_count else number if kind in {Kind.RECEIPT, Kind.RETURN} else -number,
        counted=number if is_count else None,
        counterplace=place_reference(there) if kind is Kind.TRANSFER else None,
        occurred_at=None if hour is None else ago(hour),
        serials=tuple(map(lot_name, named)),
        is_told_by_serials=True,
    )  # fmt: skip


class SerialHistory:
    """A ledger of serials in memory: it reads for a group what the database would be asked for."""

    def __init__(self):
        self.rows = []  # (level, instant, quantity)
        self.lots = {}  # By key.

    def at(self, level, instant=NOW):
        return sum((q for of, at, q in self._of(level) if at <= instant), Decimal(0)) + (
            UNIT if level[1] == OUTSIDE else 0
        )

    def _of(self, level):
        """The rows of a level; outside it is the other way round at all places."""
        if level[1] != OUTSIDE:
            return [row for row in self.rows if row[0] == level]
        return [(level, at, -q) for of, at, q in self.rows if of[2] == level[2]]

    def places_of(self, lot_id, instant):
        return [place for place in PLACES.values() if self.at((ITEM, place, lot_id), instant) != 0]

    def judge(self, *changes):
        lots = Lots(named={(ITEM, key): copy(lot) for key, lot in self.lots.items()})
        for level, _, _ in self.rows:
            lots.at.setdefault(level[:2], {})[level[2]] = next(
                lot for lot in [*lots.named.values(), *self.lots.values()] if lot.id == level[2]
            )
        for name, place in PLACES.items():
            for lot in lots.named.values():
                if self.at((ITEM, place, lot.id)) > 0:
                    lots.lying[lot.id] = place, name
        follow_lots(changes, WITH_SERIALS, lots, uuid4)
        balances = {}
        for change in changes:
            for level in levels_of(change, WITH_SERIALS, lots):
                own = [at for _, at, _ in self._of(level)]
                balances[level] = Balance(self.at(level), Decimal(0), max(own, default=None))
        for level, late in late_levels(changes, WITH_SERIALS, balances, NOW, lots).items():
            since = [(at, q) for _, at, q in self._of(level) if at > late.since]
            opening = balances[level].on_hand - sum((q for _, q in since), Decimal(0))
            balances[level].timeline = Timeline(opening, since, [*late.instants, NOW])
        return judge(changes, WITH_SERIALS, balances, NOW, atomic=False, lots=lots), lots

    def record(self, outcomes, lots):
        self.lots |= {key: lot for _, key, lot in lots.received}
        for outcome in outcomes:
            for part in outcome.parts:
                ends = (outcome.spot, part.quantity), (outcome.counterspot, -part.quantity)
                for spot, quantity in ends:
                    if spot is not None and part.lot.id != NO_LOT:
                        level = spot.item_id, spot.place_id, part.lot.id
                        self.rows.append((level, outcome.occurred_at, quantity))


groups = st.lists(st.lists(asked_changes(), min_size=2, max_size=8), min_size=1, max_size=4)


@given(groups)
def test_a_serial_is_in_one_place_at_every_instant(changes):
    history = SerialHistory()
    for group in changes:
        history.record(*history.judge(*group))

        for instant in {at for _, at, _ in history.rows}:
            for lot in history.lots.values():
                there = history.places_of(lot.id, instant)
                assert len(there) <= 1
                assert all(history.at((ITEM, place, lot.id), instant) == 1 for place in there)


@given(groups)
def test_what_is_granted_is_all_that_was_named_and_balances_are_sums(changes):
    history = SerialHistory()
    for group in changes:
        outcomes, lots = history.judge(*group)
        for outcome in outcomes:
            if outcome.refusal is not None:
                assert outcome.serials
                continue
            history.record([outcome], lots)
            moved = {part.lot.code for part in outcome.parts if part.quantity}
            named = {name.text for name in outcome.change.serials}
            assert sum(part.quantity for part in outcome.parts) == outcome.quantity
            if outcome.change.counted is None:
                assert moved == named
            else:
                place = outcome.spot.place_id
                there = {
                    lot.code
                    for lot in history.lots.values()
                    if history.at((ITEM, place, lot.id), outcome.occurred_at)
                }
                assert there == named
            for part in outcome.parts:
                level = ITEM, outcome.spot.place_id, part.lot.id
                assert part.balance == (0 if part.lot.id == NO_LOT else history.at(level))


@given(groups, asked_changes())
def test_one_by_one_is_the_same_as_together(changes, asked):
    history = SerialHistory()
    for group in changes[:-1]:
        history.record(*history.judge(*group))
    together, _ = history.judge(*changes[-1], asked)

    for each, outcome in zip([*changes[-1], asked], together, strict=True):
        [alone], lots = history.judge(each)
        assert (alone.refusal, alone.quantity) == (outcome.refusal, outcome.quantity)
        assert [fault.serial for fault in alone.serials] == [
            fault.serial for fault in outcome.serials
        ]
        history.record([alone], lots)


@given(groups, asked_changes().filter(lambda change: change.counted is None))
def test_each_serial_that_is_refused_could_not_move_alone_and_no_other(changes, asked):
    history = SerialHistory()
    for group in changes:
        history.record(*history.judge(*group))

    [outcome], _ = history.judge(asked)

    refused = {fault.serial for fault in outcome.serials}
    for name in asked.serials:
        sign = 1 if asked.quantity > 0 else -1
        [alone], _ = history.judge(asked._replace(serials=(name,), quantity=Decimal(sign)))
        known = {lot.code for lot in history.lots.values()}
        code = next((one for one in known if lot_name(one).key == name.key), name.text)
        assert (alone.refusal is not None) == (code in refused)


def test_a_reason_is_told_of_each_that_stays():
    history = SerialHistory()
    change = Change(
        uuid4(), Kind.RECEIPT, item_reference("A"), place_reference("MAIN"), "u", "r",
        quantity=Decimal(2), serials=(lot_name("S1"), lot_name("S2")), is_told_by_serials=True,
        occurred_at=ago(3),
    )  # fmt: skip
    history.record(*history.judge(change))
    issued = change._replace(
        kind=Kind.ISSUE, quantity=Decimal(-1), serials=change.serials[:1], occurred_at=ago(1)
    )
    history.record(*history.judge(issued))

    [gone], _ = history.judge(issued)
    [again], _ = history.judge(change._replace(occurred_at=ago(2)))

    assert (gone.refusal, gone.serials[0].reason) == (
        Refusal.SERIALS_NOT_THERE, SerialReason.GONE
    )  # fmt: skip
    assert (again.refusal, [fault.reason for fault in again.serials]) == (
        Refusal.SERIALS_IN_STOCK, [SerialReason.WAS_IN_STOCK, SerialReason.IN_STOCK]
    )  # fmt: skip
