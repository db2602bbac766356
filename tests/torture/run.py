"""One run: traffic and faults side by side, then quiet, then the judgement."""

import asyncio
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from random import Random

import httpx

from tests.support.waiting import answered, eventually, pause
from tests.torture.checker import violations
from tests.torture.clients import SETTLES_S, Play, act, insist
from tests.torture.history import Operation
from tests.torture.injector import Injector
from tests.torture.logs import check_logs
from tests.torture.plan import Plan
from tests.torture.requests import STORM, STORM_PIECES
from tests.torture.restarts import told_meanwhile
from tests.torture.snapshot import Snapshot, checkpoints, is_followed, take
from tests.torture.world import Tortured, World, made_world, renew, signed_in

RENEWED_AFTER_S = 200.0  # Who approves or freezes proved who he is within five minutes.
RECOVERS_S = 30.0  # After a fault's end a write must be acknowledged within that (I13).
SENT_AGAIN_MAX = 200  # Of what was done, at the end.
LOOK_S = 0.25


@dataclass
class Report:
    """What came of a run."""

    seconds: float
    acknowledged: int
    refused: int
    unknown: int  # Sendings of which nobody knew what became of them, until they were sent again.
    movements: int
    storm: str
    faults: Counter[str]
    recovery_s: dict[str, float]  # By fault, the longest.
    violations: list[str]
    kinds: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)  # By code.
    restarts: dict[str, Counter[str]] = field(default_factory=dict)  # What was told meanwhile.


async def play_run(system: Tortured, run: str, plan: Plan, say: Callable[[str], None]) -> Report:
    """Play one run in a tenant of its own and judge it."""
    limits = httpx.Limits(
        max_connections=4 * plan.clients, max_keepalive_connections=2 * plan.clients
    )
    front = f"http://127.0.0.1:{system.front_port}"
    async with (
        httpx.AsyncClient(base_url=system.stack.url, timeout=120, trust_env=False) as quiet,
        httpx.AsyncClient(base_url=front, limits=limits, trust_env=False) as client,
    ):
        world = await made_world(system.stack, quiet, run)
        play = Play(run, client, world.people, world.item_ids)
        play.history.slack_s = plan.slack_s
        seals = await checkpoints(system.stack.superuser_dsn)
        injector = Injector(system.stack, system.links, system.clocks, system.disk)
        async with _beside(_renewing(quiet, world), _lag(play)):
            say(f"{plan.clients} clients, {len(plan.faults)} faults, {plan.seconds:.0f} s")
            acting = [asyncio.create_task(act(play, n, plan.seed)) for n in range(plan.clients)]
            breaking = asyncio.create_task(injector.carry_out(play, plan.faults))
            with suppress(asyncio.CancelledError):
                await _until(play, plan.seconds, [*acting, breaking])
            play.is_over, play.gives_up_at = True, play.now + SETTLES_S + plan.slack_s
            await breaking
            injector.heal()
            await asyncio.gather(*acting)
            took_s = play.now
            await _send_again(play, plan.seed)
        say("quiet; waiting for those who follow")
        snapshot = await _followed(system, world)
        found = violations(play.history, snapshot)
        found += await _of_outside(system, quiet, world, play, seals)
        return _report(play, snapshot, found, took_s)


async def _until(play: Play, seconds: float, tasks: list[asyncio.Task[None]]) -> None:
    """Return when the time is over; raise at once what ends a task before."""
    while play.now < seconds:
        done, _ = await asyncio.wait(
            tasks, timeout=seconds - play.now, return_when=asyncio.FIRST_EXCEPTION
        )
        for task in done:
            task.result()
        if len(done) == len(tasks):
            return
        if done:
            tasks = [task for task in tasks if task not in done]


@asynccontextmanager
async def _beside(*works: object) -> AsyncIterator[None]:
    """Do what is endless beside what is done in the block."""
    tasks = [asyncio.ensure_future(work) for work in works]  # type: ignore[call-overload] # any awaitable
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _renewing(client: httpx.AsyncClient, world: World) -> None:
    while True:
        await pause(RENEWED_AFTER_S)
        for _ in range(100):  # Auth may be away, or just come back.
            try:
                await renew(client, world)
                break
            except (httpx.TransportError, AssertionError):
                await pause(1)


async def _lag(play: Play) -> None:
    """Note how long this process once stood still: nobody else can be blamed for that."""
    while True:
        before = time.monotonic()
        await pause(LOOK_S)
        play.history.lag_s = max(play.history.lag_s, time.monotonic() - before - LOOK_S)


async def _send_again(play: Play, seed: str) -> None:
    """Settle what was refused while an earlier sending was unknown; ask again what was done."""
    writes = [operation for operation in play.history.writes if not operation.is_altered]
    open_ = [o for o in writes if not o.done and o.may_be_done]
    done = [operation for operation in writes if operation.done and operation.is_keyed]
    chance = Random(f"{seed}/again")
    sample = chance.sample(done, min(SENT_AGAIN_MAX, len(done)))
    known = [o for o in play.history.operations if o.kind == "known" and o.done]
    known = chance.sample(known, min(SENT_AGAIN_MAX, len(known)))
    people = {person.actor: person for person in play.people}
    for operation in [*open_, *sample, *known]:
        mine = Operation(**operation.same())
        await insist(play, mine, people[operation.actor], 1, ".again")
        operation.attempts += mine.attempts


async def _followed(system: Tortured, world: World) -> Snapshot:
    """Return what is there once everybody has followed; as it is if somebody does not."""
    dsn = system.stack.superuser_dsn
    with suppress(AssertionError):
        await eventually(lambda: is_followed(dsn))
    return await take(dsn, world.tenant_id)


async def _of_outside(
    system: Tortured, client: httpx.AsyncClient, world: World, play: Play, seals: dict[int, bytes]
) -> list[str]:
    """Return what the system's own proofs find, and what its logs tell."""
    found = []
    boss = await signed_in(client, world.boss, world.authenticators)
    for path in ("/api/inventory/verify", "/api/audit/verify"):
        answer = await answered(lambda path=path: client.get(path, headers=boss))
        if answer.status_code != 200 or not answer.json()["ok"]:
            found.append(f"I1, I5: {path}: {answer.text[:600]}")
    now = await checkpoints(system.stack.superuser_dsn)
    lost = [number for number, note in seals.items() if now.get(number) != note]
    if lost:
        found.append(f"I5: the checkpoints {lost} are not what they were")
    for operation in play.history.operations:
        answers = [attempt.answer for attempt in operation.done]
        if operation.kind == "known" and any(answer != answers[0] for answer in answers):
            found.append(f"as known: {operation.path} was {answers[0]}, and is {answers[-1]}")
        if operation.kind == "look" and answers:
            found += _wrong_look(answers[0])
    found += check_logs(system.log_folder)
    for fault, took_s in recoveries(play).items():
        if took_s > RECOVERS_S + play.history.slack_s:
            found.append(f"I13: {took_s:.1f} s after {fault} until a write succeeded")
    return found


def _wrong_look(answer: dict[str, object]) -> list[str]:
    stock = answer["stock"]
    assert isinstance(stock, list)
    return [
        f"I2: a lookup showed {row}"
        for row in stock
        if not 0 <= float(row["reserved"]) <= float(row["on_hand"])
    ]


def recoveries(play: Play) -> dict[str, float]:
    """Return by fault the longest time from its end to the next write that succeeded.

    Not of those in whose recovery something else broke.
    """
    ends = sorted(a.ended for o in play.history.writes for a in o.done)
    found: dict[str, float] = {}
    happenings = play.history.happenings
    for happening, other in zip_longest(happenings, happenings[1:]):
        following = bisect_left(ends, happening.ended)
        is_alone = other is None or following == len(ends) or other.started >= ends[following]
        if following < len(ends) and is_alone:
            name = f"{happening.kind} {happening.target}"
            took_s = ends[following] - happening.ended
            found[name] = max(found.get(name, 0.0), round(took_s, 2))
    return found


def _report(play: Play, snapshot: Snapshot, found: list[str], took_s: float) -> Report:
    writes = [operation for operation in play.history.writes if not operation.is_altered]
    attempts = [attempt for operation in writes for attempt in operation.attempts]
    storm = play.item_ids[STORM]
    left = sum(q for pair, q in snapshot.on_hand.items() if pair[0] == storm)
    return Report(
        seconds=took_s,
        acknowledged=sum(bool(operation.done) for operation in writes),
        refused=sum(not operation.done for operation in writes),
        unknown=sum(attempt.status is None for attempt in attempts),
        movements=len({row.id for row in snapshot.rows}),
        storm=f"{STORM_PIECES - int(left)} of {STORM_PIECES}",
        faults=Counter(f"{each.kind} {each.target}" for each in play.history.happenings),
        recovery_s=recoveries(play),
        violations=found,
        kinds=Counter(_kind_of(operation) for operation in writes if operation.done),
        restarts=told_meanwhile(play.history),
        refusals=Counter(o.attempts[-1].code for o in writes if o.attempts and not o.done),
    )


def _kind_of(operation: Operation) -> str:
    return f"{operation.kind} asked for" if operation.is_awaiting else operation.kind
