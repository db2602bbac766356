import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from services.inventory.ledger.queries import KeptAnswer
from services.inventory.ledger.rules import (
    Change,
    Kind,
    Outcome,
    Refusal,
    Spot,
    item_reference,
    place_reference,
)
from services.inventory.ledger.service import batching
from services.inventory.ledger.service.batching import BATCH_MAX, Batcher, note_movement
from shared.errors import IdempotencyInProgress
from tests.support.waiting import PATIENCE_S, eventually

TENANT = uuid4()


@dataclass
class Ledger:
    """Takes groups as the database would; holds each back until `gate` is open."""

    groups: list[tuple[UUID, list[str]]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None
    bad: dict[str, Exception] = field(default_factory=dict)
    kept: bool = False
    refusal: Refusal | None = None
    calls: int = 0

    async def apply(self, tenant_id: UUID, changes: Sequence[Change]) -> list[Outcome | Exception]:
        self.groups.append((tenant_id, [change.item.text for change in changes]))
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return [self.bad.get(change.item.text) or self._become(change) for change in changes]

    def wake(self) -> None:
        self.calls += 1

    def _become(self, change: Change) -> Outcome | KeptAnswer:
        if self.kept:
            return KeptAnswer(b"f", uuid4())
        return applied(change)._replace(refusal=self.refusal)


def applied(change: Change) -> Outcome:
    spot = Spot(
        uuid4(), change.item.text, active=True, cost_id=None, place_id=uuid4(), place="Main",
        place_active=True,
    )  # fmt: skip
    return Outcome(change, spot, None, datetime.now(UTC), None)


def line(item: str, *, key: str | None = None) -> Change:
    return Change(
        uuid4(), Kind.RECEIPT, item_reference(item), place_reference("Main"), "user:1", "r",
        quantity=Decimal(1), key=key,
    )  # fmt: skip


async def submit_all(batcher: Batcher, *lines: Change) -> list[asyncio.Task[Outcome]]:
    tasks = [asyncio.create_task(batcher.submit(TENANT, each)) for each in lines]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_what_arrives_meanwhile_goes_together_in_order_each_with_its_own_outcome():
    ledger = Ledger()
    batcher = Batcher(ledger.apply, note_movement, ledger.wake)

    tasks = await submit_all(batcher, *(line(item) for item in "ABCD"))
    ledger.gate.set()

    assert [(await task).spot.code for task in tasks] == ["A", "B", "C", "D"]
    assert [items for _, items in ledger.groups] == [["A"], ["B", "C", "D"]]


async def test_followers_are_woken_once_for_a_group_that_moved_something():
    ledger = Ledger()
    batcher = Batcher(ledger.apply, note_movement, ledger.wake)

    tasks = await submit_all(batcher, *(line(item) for item in "ABC"))
    before = ledger.calls
    ledger.gate.set()
    await asyncio.gather(*tasks)

    assert [len(items) for _, items in ledger.groups] == [1, 2]
    assert (before, ledger.calls) == (0, 2)


@pytest.mark.parametrize(
    "ledger", [Ledger(kept=True), Ledger(refusal=Refusal.NOT_ENOUGH)], ids=["kept", "refused"]
)
async def test_nobody_is_woken_where_nothing_moved(ledger):
    ledger.gate.set()

    await Batcher(ledger.apply, note_movement, ledger.wake).submit(TENANT, line("A"))

    assert ledger.calls == 0


async def test_movements_that_come_one_by_one_wait_for_nothing(monkeypatch):
    monkeypatch.setattr(batching, "GATHER_S", 60)
    ledger = Ledger()
    ledger.gate.set()
    batcher = Batcher(ledger.apply, note_movement, ledger.wake)

    async with asyncio.timeout(PATIENCE_S):
        for item in "ABC":
            await batcher.submit(TENANT, line(item))

    assert [items for _, items in ledger.groups] == [["A"], ["B"], ["C"]]


async def test_after_a_group_as_many_are_gathered(monkeypatch):
    monkeypatch.setattr(batching, "GATHER_S", 3_600)
    ledger = Ledger()
    ledger.gate.set()
    batcher = Batcher(ledger.apply, note_movement, ledger.wake)
    await asyncio.gather(*await submit_all(batcher, *(line(item) for item in "ABC")))

    first = await submit_all(batcher, line("D"))
    second = await submit_all(batcher, line("E"))
    outcomes = await asyncio.gather(*first, *second)

    assert [outcome.spot.code for outcome in outcomes] == ["D", "E"]
    assert [items for _, items in ledger.groups] == [["A"], ["B", "C"], ["D", "E"]]


async def test_after_a_group_one_who_comes_alone_is_not_kept_waiting_for_long():
    ledger = Ledger()
    ledger.gate.set()
    batcher = Batcher(ledger.apply, note_movement, ledger.wake)
    await asyncio.gather(*await submit_all(batcher, *(line(item) for item in "ABC")))

    (late,) = await asyncio.gather(*await submit_all(batcher, line("D")))

    assert late.spot.code == "D"
    assert [items for _, items in ledger.groups] == [["A"], ["B", "C"], ["D"]]


async def test_a_group_has_an_upper_size():
    ledger = Ledger()
    batcher = Batcher(ledger.apply, note_movement, ledger.wake)

    tasks = await submit_all(batcher, *(line(str(n)) for n in range(BATCH_MAX + 2)))
    ledger.gate.set()
    await asyncio.gather(*tasks)

    assert [len(items) for _, items in ledger.groups] == [1, BATCH_MAX, 1]


async def test_one_movement_s_own_trouble_is_not_its_neighbours():
    ledger = Ledger(bad={"B": ValueError("too many digits")})
    ledger.gate.set()

    outcomes = await asyncio.gather(
        *await submit_all(
            Batcher(ledger.apply, note_movement, ledger.wake), line("A"), line("B"), line("C")
        ),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [Outcome, ValueError, Outcome]


async def test_tenants_never_share_a_group_nor_wait_for_one_another():
    ledger = Ledger()
    batcher, other = Batcher(ledger.apply, note_movement, ledger.wake), uuid4()

    tasks = await submit_all(batcher, line("A"), line("B"))
    foreign = asyncio.create_task(batcher.submit(other, line("C")))
    await eventually(lambda: len(ledger.groups) == 2)
    assert ledger.groups == [(TENANT, ["A"]), (other, ["C"])]
    ledger.gate.set()
    await asyncio.gather(*tasks, foreign)

    assert ledger.groups[2:] == [(TENANT, ["B"])]


async def test_a_failure_reaches_everyone_of_the_group_and_no_one_after():
    ledger = Ledger(failure=ConnectionError("away"))
    ledger.gate.set()
    batcher = Batcher(ledger.apply, note_movement, ledger.wake)

    failed = await asyncio.gather(
        *await submit_all(batcher, line("A"), line("B")), return_exceptions=True
    )
    ledger.failure = None

    assert [type(each) for each in failed] == [ConnectionError, ConnectionError]
    assert (await batcher.submit(TENANT, line("C"))).spot.code == "C"


async def test_a_caller_who_goes_away_does_not_take_the_others_with_him():
    ledger = Ledger()
    batcher = Batcher(ledger.apply, note_movement, ledger.wake)
    first, gone, stays = await submit_all(batcher, line("A"), line("B"), line("C"))

    gone.cancel()
    ledger.gate.set()

    assert [(await task).spot.code for task in (first, stays)] == ["A", "C"]
    assert [items for _, items in ledger.groups] == [["A"], ["B", "C"]]


async def test_a_key_that_is_being_answered_is_refused_until_it_is():
    ledger = Ledger()
    batcher = Batcher(ledger.apply, note_movement, ledger.wake)
    (first,) = await submit_all(batcher, line("A", key="k"))

    with pytest.raises(IdempotencyInProgress):
        await batcher.submit(TENANT, line("A", key="k"))
    ledger.gate.set()
    await first

    assert (await batcher.submit(TENANT, line("A", key="k"))).spot.code == "A"


async def test_drained_means_that_nothing_waits_any_more():
    ledger = Ledger()
    batcher = Batcher(ledger.apply, note_movement, ledger.wake)
    tasks = await submit_all(batcher, *(line(item) for item in "ABC"))

    ledger.gate.set()
    await batcher.drain()
    await asyncio.sleep(0)

    assert [items for _, items in ledger.groups] == [["A"], ["B", "C"]]
    assert [task.result().spot.code for task in tasks] == ["A", "B", "C"]


async def test_what_is_large_goes_with_fewer_others():
    ledger = Ledger()
    sizes = {"B": BATCH_MAX - 1, "D": 3 * BATCH_MAX}
    batcher = Batcher(
        ledger.apply, note_movement, ledger.wake, size_of=lambda each: sizes.get(each.item.text, 1)
    )

    tasks = await submit_all(batcher, *(line(item) for item in "ABCDEF"))
    ledger.gate.set()
    await asyncio.gather(*tasks)

    assert [items for _, items in ledger.groups] == [["A"], ["B", "C"], ["D"], ["E", "F"]]
