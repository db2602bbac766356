"""Any interleaving of all that moves or holds stock, against the plainest reckoning there is."""

import asyncio
from collections import Counter, defaultdict
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.conftest import EXAMPLES
from tests.support.stock_machine import (
    CHECKS,
    COUNTS,
    EXPIRIES,
    FREEZES,
    FROZEN,
    KIT,
    KIT_TAKES,
    LOTS,
    OUTSIDE,
    PLACES,
    PLAIN,
    ROAD,
    SERIAL_NAMES,
    SERIALS,
    Shop,
    moment,
)
from tests.support.stock_model import EVERYTHING, Draw, Held, Sheet
from tests.torture.history import History
from tests.torture.snapshot import take

STEPS = 25
quantities = st.integers(1, 6)
places = st.sampled_from(PLACES)
held_items = st.sampled_from((*PLAIN, KIT))
hours = st.sampled_from((0, 0, 0, 1, 2, 4))  # Before the machine began; 0 is now.
lots = st.sampled_from(sorted(EXPIRIES))


class StockMachine(RuleBasedStateMachine):
    """Asks for whatever it likes; the model says what must be done, and what is then there."""

    def __init__(self, open_shop, dsn, seen):
        super().__init__()
        self.shop: Shop = open_shop()
        self.dsn, self.seen = dsn, seen
        self.known = []

    @property
    def model(self):
        return self.shop.model

    @initialize()
    def open(self):
        self.shop.open()
        for item in PLAIN:
            self.receive(item, PLACES[0], 6, 5)

    @rule(item=held_items, place=places, quantity=quantities, before=hours)
    def receive(self, item, place, quantity, before):
        self.single("receipt", item, place, quantity, Draw((item, place, ""), quantity), before)

    @rule(item=held_items, place=places, quantity=quantities, before=hours)
    def issue(self, item, place, quantity, before):
        self.single("issue", item, place, quantity, Draw((item, place, ""), -quantity), before)

    @rule(item=held_items, place=places, quantity=quantities)
    def write_off(self, item, place, quantity):
        draw, more = Draw((item, place, ""), -quantity), {"reason_code": "lost"}
        self.single("write_off", item, place, quantity, draw, 0, **more)

    @rule(item=held_items, place=places, quantity=quantities, is_in=st.booleans(), before=hours)
    def adjust(self, item, place, quantity, is_in, before):
        more = {"direction": "in" if is_in else "out", "reason_code": "misrecorded"}
        draw = Draw((item, place, ""), quantity if is_in else -quantity)
        self.single("adjustment", item, place, quantity, draw, before, **more)

    @rule(item=held_items, place=places, counted=st.integers(0, 9), before=hours)
    def count(self, item, place, counted, before):
        level = item, place, ""
        draw = Draw(level, counted - self.model.lay(level, self.shop.ago(before)))
        self.single("count_correction", item, place, counted, draw, before)

    @rule(item=held_items, start=places, quantity=quantities, before=hours)
    def transfer(self, item, start, quantity, before):
        goal = other(start)
        draws = [Draw((item, start, ""), -quantity), Draw((item, goal, ""), quantity)]
        body = {"kind": "transfer", "item": item, "location": start, "to_location": goal}
        self.moved("transfer", body | {"quantity": quantity}, draws, before)

    def single(self, kind, item, place, quantity, draw, before, **more):
        body = {"kind": kind, "item": item, "location": place, "quantity": quantity, **more}
        self.moved(kind, body, [draw], before)

    def moved(self, kind, body, draws, before):
        done = self.shop.move(body, draws, self.shop.ago(before))
        self.seen[kind, done is not None] += 1

    @rule(place=places, lot=lots, quantity=quantities, before=hours)
    def receive_lot(self, place, lot, quantity, before):
        expires_on = self.shop.began.date().toordinal() + EXPIRIES[lot]
        more = {"lot": lot, "expires_on": datetime.fromordinal(expires_on).date().isoformat()}
        draw = Draw((LOTS, place, lot), quantity)
        self.single("receipt", LOTS, place, quantity, draw, before, **more)

    @rule(place=places, quantity=quantities, before=hours)
    def issue_first_out(self, place, quantity, before):
        body = {"kind": "issue", "item": LOTS, "location": place, "quantity": quantity}
        self.moved("first out", body, self.first_out(place, quantity, before), before)

    @rule(start=places, quantity=quantities, before=hours)
    def transfer_first_out(self, start, quantity, before):
        goal = other(start)
        out = self.first_out(start, quantity, before)
        draws = out and [*out, *(Draw((LOTS, goal, d.level[2]), -d.quantity) for d in out)]
        body = {"kind": "transfer", "item": LOTS, "location": start, "to_location": goal}
        self.moved("first out", body | {"quantity": quantity}, draws, before)

    def first_out(self, place, quantity, before):
        levels = [(LOTS, place, lot) for lot in EXPIRIES]
        return self.model.first_out(levels, quantity, self.shop.ago(before))

    @rule(place=places, serial=st.sampled_from(SERIAL_NAMES), is_in=st.booleans(), before=hours)
    def move_serial(self, place, serial, is_in, before):
        change = 1 if is_in else -1
        draws = [Draw((SERIALS, place, serial), change), Draw((SERIALS, OUTSIDE, serial), -change)]
        body = {"item": SERIALS, "location": place, "quantity": 1, "serials": [serial]}
        self.moved("serial", body | {"kind": "receipt" if is_in else "issue"}, draws, before)

    @rule(start=places, serial=st.sampled_from(SERIAL_NAMES), before=hours)
    def transfer_serial(self, start, serial, before):
        goal = other(start)
        draws = [Draw((SERIALS, start, serial), -1), Draw((SERIALS, goal, serial), 1)]
        body = {"kind": "transfer", "item": SERIALS, "location": start, "to_location": goal}
        body |= {"quantity": 1, "serials": [serial]}
        self.moved("serial", body, draws, before)

    @rule(place=places, quantity=st.integers(1, 3), is_making=st.booleans(), before=hours)
    def assemble(self, place, quantity, is_making, before):
        sign = 1 if is_making else -1
        draws = [Draw((KIT, place, ""), sign * quantity)]
        draws += [Draw((item, place, ""), -sign * n * quantity) for item, n in KIT_TAKES.items()]
        at, verb = self.shop.ago(before), "assemble" if is_making else "disassemble"
        body = {"location": place, "quantity": quantity}
        body |= {"occurred_at": at.isoformat()} if at else {}
        path = f"/api/inventory/kits/{self.shop.ids[KIT]}/{verb}"
        possible = self.model.can(draws, at)
        found = self.shop.ask(path, body, is_possible=possible)
        self.seen["kit", possible] += 1
        if possible:
            self.model.record(found["id"], draws, moment(found["occurred_at"]))

    @precondition(lambda self: self.model.movements.keys() - self.model.reversed)
    @rule(choice=st.integers(0, 100), is_now=st.booleans())
    def reverse(self, choice, is_now):
        movement = chosen(self.model.movements.keys() - self.model.reversed, choice)
        rows = self.model.movements[movement]
        draws = [Draw(row.level, -row.quantity) for row in rows]
        at = None if is_now else rows[0].at
        possible = self.model.can(draws, at)
        body = {"reason": "Undone.", "dated": "now" if is_now else "original"}
        path = f"/api/inventory/movements/{movement}/reverse"
        found = self.shop.ask(path, body, is_possible=possible)
        self.seen["reversal", possible] += 1
        if possible:
            self.model.reversed |= {movement, found["id"]}
            self.model.record(found["id"], draws, moment(found["occurred_at"]))

    @rule(
        lines=st.lists(
            st.tuples(st.booleans(), st.sampled_from(PLAIN), places, quantities, hours),
            min_size=2,
            max_size=4,
        ),
        is_atomic=st.booleans(),
    )
    def bulk(self, lines, is_atomic):
        trial, done, sent = deepcopy(self.model), [], []
        now = datetime.now(UTC)  # One instant for all lines: what counts is its end.
        for number, (is_in, item, place, quantity, before) in enumerate(lines):
            at = self.shop.ago(before)
            draw = Draw((item, place, ""), quantity if is_in else -quantity)
            line = {"kind": "receipt" if is_in else "issue", "item": item, "location": place}
            line |= {"quantity": quantity} | ({"occurred_at": at.isoformat()} if at else {})
            sent.append(line)
            done.append(trial.can([draw], at))
            if done[-1]:
                trial.record(f"line {number}", [draw], at or now)
        possible = all(done) or not is_atomic
        body = {"mode": "atomic" if is_atomic else "each", "lines": sent}
        found = self.shop.ask("/api/inventory/movements/bulk", body, is_possible=possible)
        self.seen["bulk", possible] += 1
        if possible:
            assert [each["status"] == "applied" for each in found["results"]] == done
            self.shop.model = trial
            for number in range(len(lines)):
                trial.movements.pop(f"line {number}", None)

    @rule(items=st.lists(held_items, min_size=1, max_size=2, unique=True), place=places,
          quantity=quantities)  # fmt: skip
    def reserve(self, items, place, quantity):
        levels = [(item, place, "") for item in items]
        possible = all(self.model.available(level) >= quantity for level in levels)
        possible = possible and not any(map(self.model.is_frozen, levels))
        lines = [{"item": item, "location": place, "quantity": quantity} for item in items]
        body = {"lines": lines, "reference": str(uuid4())}
        found = self.shop.ask("/api/inventory/reservations", body, is_possible=possible)
        self.seen["reserve", possible] += 1
        if possible:
            self.model.held[found["id"]] = [Held(level, quantity) for level in levels]

    @precondition(lambda self: self.model.held)
    @rule(choice=st.integers(0, 100), how=st.sampled_from(("commit", "release", "one", "expire")))
    def end_reservation(self, choice, how):
        reservation = chosen(self.model.held, choice)
        holds = self.model.held[reservation]
        path = f"/api/inventory/reservations/{reservation}"
        self.seen["reservation", how] += 1
        if how == "expire":
            self.shop.let_expire(reservation)
            self.shop.ask(f"{path}/commit", {}, is_possible=False)
            del self.model.held[reservation]
            for hold in holds:  # Whoever comes by gives back what is over.
                self.receive(*hold.level[:2], 1, 0)
            return
        if how == "one":
            self.shop.post(f"{path}/commit", {"lines": [{"line": 0, "quantity": 1}]})
            self.record_now([Draw(holds[0].level, -1)])
            holds[0].quantity -= 1
            if not holds[0].quantity:
                holds.pop(0)
                self.shop.post(f"{path}/release", {}) if holds else None
                del self.model.held[reservation]
            return
        self.shop.post(f"{path}/{how}", {})
        if how == "commit":
            self.record_now([Draw(hold.level, -hold.quantity) for hold in holds])
        del self.model.held[reservation]

    def record_now(self, draws, at=None):
        self.model.record("", draws, at or datetime.now(UTC))
        self.model.movements.pop("", None)

    @rule(item=st.sampled_from((*PLAIN, LOTS)), start=places, quantity=quantities)
    def dispatch(self, item, start, quantity):
        out = [Draw((item, start, ""), -quantity)]
        if item == LOTS:
            out = self.first_out(start, quantity, 0)
        possible = bool(out) and self.model.can(out, None)
        body = {"item": item, "location": start, "to_location": other(start), "quantity": quantity}
        found = self.shop.ask("/api/inventory/transfers", body, is_possible=possible)
        self.seen["dispatch", possible] += 1
        if possible:
            there = [Draw((item, ROAD, draw.level[2]), -draw.quantity) for draw in out]
            self.record_now([*out, *there])
            self.model.in_transit[found["id"]] = [Draw((*d.level,), d.quantity) for d in there]
            self.goals[found["id"]] = other(start)

    @property
    def goals(self):
        return self.__dict__.setdefault("_goals", {})

    @precondition(lambda self: self.model.in_transit)
    @rule(choice=st.integers(0, 100), difference=st.sampled_from((0, 0, -1, 1)))
    def receive_transfer(self, choice, difference):
        transfer = chosen(self.model.in_transit, choice)
        carried = self.model.in_transit.pop(transfer)
        goal, left = self.goals[transfer], sum(draw.quantity for draw in carried) + difference
        said = {"quantity": left, "final": True, "over_received": difference > 0}
        self.shop.post(f"/api/inventory/transfers/{transfer}/receive", said)
        draws = [Draw(draw.level, -draw.quantity) for draw in carried]
        arrived = defaultdict(int)
        for draw in carried:
            here = min(draw.quantity, left)
            left -= here
            arrived[draw.level[0], goal, draw.level[2]] += here
        arrived[carried[-1].level[0], goal, carried[-1].level[2]] += left
        self.seen["receive", difference] += 1
        self.record_now([*draws, *(Draw(level, quantity) for level, quantity in arrived.items())])

    @rule(place=places, items=st.lists(held_items, min_size=1, max_size=3, unique=True))
    def open_sheet(self, place, items):
        body = {"locations": [place], "items": items, "with_children": False}
        self.model.sheets[self.shop.post(COUNTS, body)["id"]] = Sheet(place, items)
        self.enter_sheet(len(self.model.sheets) - 1, 4, 0)

    @precondition(lambda self: self.model.sheets)
    @rule(choice=st.integers(0, 100), counted=st.integers(0, 9), before=hours)
    def enter_sheet(self, choice, counted, before):
        count = chosen(self.model.sheets, choice)
        sheet = self.model.sheets[count]
        item = sheet.items[choice % len(sheet.items)]
        at = self.shop.ago(before) or datetime.now(UTC)
        line = {"item": item, "location": sheet.place, "quantity": counted}
        self.shop.enter(f"{COUNTS}/{count}/lines", line | {"counted_at": at.isoformat()})
        sheet.enter(item, at, counted)

    @precondition(lambda self: self.model.sheets)
    @rule(choice=st.integers(0, 100), is_posting=st.sampled_from((True, True, True, False)))
    def close_sheet(self, choice, is_posting):
        count = chosen(self.model.sheets, choice)
        found = self.model.differences(self.model.sheets[count]) if is_posting else []
        possible = all(self.model.can([draw], at) for draw, at in found)
        verb, body = ("post", {"uncounted": "keep"}) if is_posting else ("cancel", {})
        self.shop.ask(f"{COUNTS}/{count}/{verb}", body, is_possible=possible)
        self.seen["sheet", verb, possible] += 1
        if possible:
            del self.model.sheets[count]
            for draw, at in found:
                self.record_now([draw], at)

    @rule(what=st.sampled_from(FROZEN), item=held_items, place=places, quantity=st.integers(1, 2))
    def freeze(self, what, item, place, quantity):
        """Whatever touches what is frozen is refused, and nothing else is."""
        scope, target = what
        named = {} if target == EVERYTHING else {scope: target}
        made = self.shop.post(FREEZES, {"scope": scope, "reason": "Stocktaking.", **named})
        self.model.frozen.add(target)
        self.receive(item, place, quantity, 1)
        self.transfer(item, place, quantity, 0)
        self.assemble(place, 1, quantity == 1, 0)
        self.reserve([item], place, quantity)
        if self.model.sheets:
            self.close_sheet(quantity, is_posting=True)
        self.shop.delete(f"{FREEZES}/{made['id']}")
        self.model.frozen.clear()

    @rule(item=st.sampled_from((*PLAIN, LOTS, KIT)), before=hours)
    def remember(self, item, before):
        """What is known of a moment now is what was known then, whatever comes later."""
        now = datetime.now(UTC)
        as_of = self.shop.ago(before) or now
        path = f"/api/inventory/{self.shop.ids[item]}/stock"
        path += f"?known_at={quote(now.isoformat())}&as_of={quote(as_of.isoformat())}"
        found = self.shop.get(path)
        here = {place: self.lying(item, place, as_of) for place in (*PLACES, ROAD)}
        assert int(found["on_hand"]) == sum(here.values())
        self.known.append((path, found))

    def lying(self, item, place, at):
        lots_of = {m.level for m in self.model.moved if m.level[:2] == (item, place)}
        return sum(self.model.lay(level, at) for level in lots_of)

    @invariant()
    def is_as_modelled(self):
        if self.shop.ids:
            self.shop.assert_as_modelled()

    def teardown(self):
        for path, found in self.known:
            assert self.shop.get(path) == found
        snapshot = self.shop.wait(take(self.dsn, str(self.shop.caller.tenant_id)))
        told = [told for check in CHECKS for told in check(History(), snapshot)]
        assert told == []


def chosen(known, choice):
    return sorted(known)[choice % len(known)]


def other(place):
    return PLACES[1 - PLACES.index(place)]


async def test_any_interleaving_keeps_stock_as_it_should_be(client, databases, other):
    loop, seen = asyncio.get_running_loop(), Counter()
    open_shop = partial(Shop, loop, client, other)
    machine = partial(StockMachine, open_shop, databases.superuser_dsn, seen)
    chosen = settings(max_examples=max(EXAMPLES // 5, 2), stateful_step_count=STEPS, deadline=None)

    await asyncio.to_thread(run_state_machine_as_test, machine, settings=chosen)

    assert sum(seen.values()) > 0
