"""Clients that send each request until they know what became of it, and write down all of it."""

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.waiting import pause
from tests.torture.history import Attempt, History, Operation
from tests.torture.plan import Step, steps
from tests.torture.requests import Own, Request, altered, request_of

HTTP_BROKEN = 500
GIVES_UP_S = 25.0  # More than any route may take; bulk calls here are small.
AGAIN_S = (0.05, 0.8)  # Between two sendings: the first, and the longest pause.
TRIES_MAX = 400
BROKEN_MAX = 3  # Answers 500, after which it is no use: each is a violation anyway.
SETTLES_S = 60.0  # After the end, within which everything is to be settled.


@dataclass
class Person:
    """Who sends: his name in the journal, and his token, which is renewed meanwhile."""

    actor: str
    headers: dict[str, str]


@dataclass
class Play:
    """A run as its clients see it: where to send, who sends, and when it ends."""

    run: str
    client: httpx.AsyncClient
    people: list[Person]
    item_ids: dict[str, str]
    began: float = field(default_factory=time.monotonic)
    history: History = field(default_factory=History)
    last_done: float = 0.0  # When a write was acknowledged last.
    is_over: bool = False
    gives_up_at: float = math.inf

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began


async def act(play: Play, number: int, seed: str) -> None:
    """Be a client: one step after another until the run is over, each to its end."""
    own = Own(play.item_ids)
    person = play.people[number % len(play.people)]
    for step in steps(seed, number):
        if play.is_over:
            return
        name = f"{play.run}.{number}.{step.number}"
        request = request_of(step, name, own)
        operation = _operation(step, name, request, person)
        play.history.operations.append(operation)
        times = 3 if step.sending == "thrice" and operation.is_writing else 1
        await insist(play, operation, person, times)
        _learn(operation, own)
        if step.sending == "altered" and operation.is_writing and operation.done:
            other = _operation(step, name, altered(request), person)
            other.is_altered = True
            play.history.operations.append(other)
            await insist(play, other, person, 1, ".x")


async def insist(
    play: Play, operation: Operation, person: Person, at_once: int = 1, mark: str = ""
) -> None:
    """Send a request, more than once at a time if asked, until an answer is definite."""
    wait_s = AGAIN_S[0]
    for attempt in range(TRIES_MAX):
        ids = [f"{operation.name}{mark}.{attempt}-{n}" for n in range(at_once)]
        operation.attempts += await asyncio.gather(
            *(send(play, operation, person, request_id) for request_id in ids)
        )
        broken = sum(each.status == HTTP_BROKEN for each in operation.attempts)
        if operation.is_settled or broken >= BROKEN_MAX or play.now > play.gives_up_at:
            return
        at_once = 1
        await pause(wait_s)
        wait_s = min(wait_s * 2, AGAIN_S[1])


async def send(play: Play, operation: Operation, person: Person, request_id: str) -> Attempt:
    """Send a request once and return what came of it."""
    headers = person.headers | {"X-Request-ID": request_id}
    if operation.is_writing:
        headers["Idempotency-Key"] = operation.name
    attempt = Attempt(request_id, play.now, 0)
    sent = {"json": operation.body} if operation.body is not None else {}
    try:
        found = await play.client.request(
            operation.method, operation.path, headers=headers, timeout=GIVES_UP_S, **sent
        )
    except httpx.TransportError as error:
        attempt.fault = type(error).__name__
        attempt.is_late = isinstance(error, httpx.ReadTimeout)
    else:
        attempt.status = found.status_code
        attempt.answer, attempt.fault = _read(found)
    attempt.ended = play.now
    if attempt.is_done and operation.is_writing:
        play.last_done = attempt.ended
    return attempt


def _read(found: httpx.Response) -> tuple[Any, str]:
    """Return the JSON of an answer, and what is wrong with its form."""
    try:
        answer = found.json()
    except ValueError:
        return found.text[:500], "no JSON"
    if not isinstance(answer, dict):
        return answer, "no object"
    if found.is_error and not {"code", "title", "request_id"} <= answer.keys():
        return answer, "no problem"
    return answer, ""


def _operation(step: Step, name: str, request: Request, person: Person) -> Operation:
    return Operation(
        name, step.client, person.actor, request.kind, request.method, request.path, request.body,
        reservation=request.reservation,
    )  # fmt: skip


def _learn(operation: Operation, own: Own) -> None:
    """Note what a client has from now on."""
    answer = operation.answer
    if answer is None:
        return
    if operation.kind == "movement":
        own.movements.append(answer["id"])
    elif operation.kind == "reserve":
        own.reservations.append((answer["id"], operation.name, len(answer["lines"])))
    elif operation.kind == "dispatch":
        own.transfers.append((answer["id"], int(answer["quantity"])))
