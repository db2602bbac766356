"""Lots of an item at two places, whatever happens to them in whatever order of time."""

from collections import defaultdict
from copy import copy
from datetime import UTC, timedelta
from decimal import Decimal
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.ledger.rules import (
    Balance,
    Change,
    Kind,
    Lots,
    Refusal,
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
WITH_LOTS = {pair: spot._replace(tracking="lot") for pair, spot in SPOTS.items()}
EXPIRIES = {"soon": 0, "later": 2, "gone": -1, "never": None}  # In days from now.
KINDS = ["receipt"] * 5 + ["issue", "issue", "transfer", "write_off", "count"]
amounts = st.integers(1, 9).map(Decimal)
hours = st.none() | st.integers(1, 40)


def expiry_of(name):
    days = EXPIRIES[name]
    return None if days is None else NOW.date() + timedelta(days=days)


@st.composite
def asked_changes(draw):
    hour = draw(hours)
    kind = draw(st.sampled_from(KINDS))
    here, there = draw(st.permutations(["MAIN", "SHOP"]))
    quantity = draw(amounts) / (3 if kind == "receipt" else 1)  # Several lots for one issue.
    quantity = quantity.quantize(Decimal("0.01"))
    lot = draw(st.sampled_from(sorted(EXPIRIES)))
    is_named = kind in {"receipt", "count"} or draw(st.integers(0, 3)) == 0
    return Change(
        uuid4(), Kind(kind) if kind != "count" else Kind.COUNT_CORRECTION,
        item_reference("A"), place_reference(here), "user:1", "r",
        quantity=None if kind == "count" else quantity if kind == "receipt" else -quantity,
        counted=quantity if kind == "count" else None,
        counterplace=place_reference(there) if kind == "transfer" else None,
        occurred_at=None if hour is None else ago(hour),
        lot=lot_name(lot) if is_named else None,
        expires_on=expiry_of(lot) if kind == "receipt" else None,
    )  # fmt: skip


class LotHistory:
    """A ledger of lots in memory: it reads for a group what the database would be asked for."""

    def __init__(self):
        self.rows = []  # (level, instant, quantity)
        self.lots = {}  # By key.

    def at(self, level, instant=NOW):
        return sum((q for of, at, q in self.rows if of == level and at <= instant), Decimal(0))

    def lowest(self):
        instants = {at for _, at, _ in self.rows}
        levels = {level for level, *_ in self.rows}
        return min((self.at(level, at) for level in levels for at in instants), default=0)

    def known(self):
        lots = {key: copy(lot) for key, lot in self.lots.items()}
        by_id = {lot.id: lot for lot in lots.values()}
        found = Lots(named={(ITEM, key): lot for key, lot in lots.items()})
        for level in {level for level, *_ in self.rows if self.at(level) > 0}:
            found.at.setdefault(level[:2], {})[level[2]] = by_id[level[2]]
        return found

    def judge(self, *changes):
        lots = self.known()
        follow_lots(changes, WITH_LOTS, lots, uuid4)
        balances = {}
        for change in changes:
            for level in levels_of(change, WITH_LOTS, lots):
                own = [at for of, at, _ in self.rows if of == level]
                balances[level] = Balance(self.at(level), Decimal(0), max(own, default=None))
        for level, late in late_levels(changes, WITH_LOTS, balances, NOW, lots).items():
            since = [(at, q) for of, at, q in self.rows if of == level and at > late.since]
            opening = balances[level].on_hand - sum((q for _, q in since), Decimal(0))
            balances[level].timeline = Timeline(opening, since, [*late.instants, NOW])
        outcomes = judge(changes, WITH_LOTS, balances, NOW, atomic=False, lots=lots)
        return outcomes, lots

    def record(self, outcomes, lots):
        self.lots |= {key: lot for _, key, lot in lots.received}
        for outcome in outcomes:
            if outcome.refusal is not None:
                continue
            for part in outcome.parts:
                for spot, quantity in (
                    (outcome.spot, part.quantity), (outcome.counterspot, -part.quantity)
                ):  # fmt: skip
                    if spot is not None:
                        level = spot.item_id, spot.place_id, part.lot.id
                        self.rows.append((level, outcome.occurred_at, quantity))


groups = st.lists(st.lists(asked_changes(), min_size=3, max_size=8), min_size=1, max_size=4)


def grown(history, changes):
    for group in changes:
        history.record(*history.judge(*group))
    return history


@given(groups)
def test_no_lot_is_below_zero_anywhere_at_any_instant(changes):
    history = LotHistory()
    for group in changes:
        outcomes, lots = history.judge(*group)
        history.record(outcomes, lots)

        assert history.lowest() >= 0
        for outcome in outcomes:
            if outcome.refusal is None:
                assert sum(part.quantity for part in outcome.parts) == outcome.quantity
                assert len({part.lot.id for part in outcome.parts}) == len(outcome.parts)


@given(groups)
def test_balances_are_the_sums_of_the_ledger_lot_by_lot(changes):
    history = LotHistory()
    for group in changes:
        sums = defaultdict(Decimal)
        for level, _, quantity in history.rows:
            sums[level] += quantity
        outcomes, lots = history.judge(*group)
        for outcome in outcomes:
            for part in outcome.parts:
                level = ITEM, outcome.spot.place_id, part.lot.id
                sums[level] += part.quantity
                assert part.balance == sums[level]
                if outcome.counterspot is not None:
                    level = ITEM, outcome.counterspot.place_id, part.lot.id
                    sums[level] -= part.quantity
                    assert part.counterbalance == sums[level]
        history.record(outcomes, lots)


@given(groups, asked_changes())
def test_one_by_one_is_the_same_as_together(changes, asked):
    history = grown(LotHistory(), changes[:-1])
    together, _ = history.judge(*changes[-1], asked)

    for each, outcome in zip([*changes[-1], asked], together, strict=True):
        [alone], lots = history.judge(each)
        assert (alone.refusal, alone.quantity, alone.fits_from) == (
            outcome.refusal, outcome.quantity, outcome.fits_from
        )  # fmt: skip
        assert [(p.lot.code, p.quantity, p.balance) for p in alone.parts] == [
            (p.lot.code, p.quantity, p.balance) for p in outcome.parts
        ]
        history.record([alone], lots)


@given(groups, amounts)
def test_what_expires_first_is_used_up_before_the_next_is_touched(changes, quantity):
    history = grown(LotHistory(), changes)
    asked = Change(
        uuid4(), Kind.ISSUE, item_reference("A"), place_reference("MAIN"), "u", "r",
        quantity=-quantity,
    )  # fmt: skip

    [outcome], _ = history.judge(asked)

    left = {
        lot.id: history.at((ITEM, PLACES["MAIN"], lot.id))
        for lot in history.lots.values()
        if not lot.is_expired(NOW)
    }
    if outcome.refusal is not None:
        assert outcome.refusal is Refusal.NOT_ENOUGH
        assert outcome.available == sum(left.values()) < quantity
        return
    taken = [part.lot for part in outcome.parts]
    assert not any(lot.is_expired(NOW) for lot in taken)
    for before, after in zip(outcome.parts, outcome.parts[1:], strict=False):
        assert before.balance == 0
        assert (before.lot.expires_on is None) <= (after.lot.expires_on is None)
    last = taken[-1].expires_on
    skipped = [
        lot
        for lot in history.lots.values()
        if left.get(lot.id) and lot.id not in {one.id for one in taken}
    ]
    assert all(lot.expires_on is None or (last and lot.expires_on >= last) for lot in skipped)


@given(groups, st.integers(1, 40), amounts)
def test_the_earliest_instant_is_when_the_lots_together_have_enough(changes, hour, quantity):
    history = grown(LotHistory(), changes)
    asked = Change(
        uuid4(), Kind.WRITE_OFF, item_reference("A"), place_reference("MAIN"), "u", "r",
        quantity=-quantity, occurred_at=ago(hour).astimezone(UTC),
    )  # fmt: skip
    [refused], _ = history.judge(asked)
    if refused.refusal is not Refusal.NOT_ENOUGH_THEN:
        return

    [then], _ = history.judge(asked._replace(occurred_at=refused.fits_from))
    a_moment = timedelta(microseconds=1)
    [before], _ = history.judge(asked._replace(occurred_at=refused.fits_from - a_moment))

    assert then.refusal is None
    assert before.refusal is Refusal.NOT_ENOUGH_THEN
