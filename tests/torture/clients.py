"""Clients that send each request until they know what became of it, and write down all of it."""

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.waiting import pause
from tests.torture.duties import duty_of
from tests.torture.history import Attempt, History, Operation
from tests.torture.plan import Step, steps
from tests.torture.requests import Own, Request, Shared, altered, request_of

HTTP_EMPTY, HTTP_BROKEN = 204, 500
GIVES_UP_AFTER_S = 8.0  # Beyond what its route may take.
AGAIN_S = (0.05, 0.8)  # Between two sendings: the first, and the longest pause.
TRIES_MAX = 400
BROKEN_MAX = 3  # Answers 500, after which it is no use: each is a violation anyway.
SETTLES_S = 60.0  # After the end, within which everything is to be settled.


@dataclass
class Person:
    """Who sends: his name in the journal, and his token, which is renewed meanwhile."""

    actor: str
    headers: dict[str, str]
    role: str = "clerk"


@dataclass
class Play:
    """A run as its clients see it: where to send, who sends, and when it ends."""

    run: str
    client: httpx.AsyncClient
    people: list[Person]
    item_ids: dict[str, str]
    shared: Shared = field(default_factory=Shared)
    began: float = field(default_factory=time.monotonic)
    history: History = field(default_factory=History)
    last_done: float = 0.0  # When a write was acknowledged last.
    is_over: bool = False
    gives_up_at: float = math.inf

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    def person(self, actor: str) -> Person:
        return next(person for person in self.people if person.actor == actor)


async def act(play: Play, number: int, seed: str) -> None:
    """Be a client: one step after another until the run is over, each to its end."""
    own = Own(play.item_ids, play.shared, number)
    for step in steps(seed, number):
        if play.is_over:
            return
        name = f"{play.run}.{number}.{step.number}"
        request = duty_of(step, name, own) or request_of(step, name, own)
        doing = [_do(play, step, name, request, own)]
        if request.rival is not None:
            doing.append(_do(play, step, f"{name}.rival", request.rival, own))
        operation, *_ = await asyncio.gather(*doing)
        if step.sending == "altered" and operation.is_keyed and operation.done:
            other = Operation(**operation.same() | {"body": altered(operation.body)})
            other.kind, other.is_altered = "altered", True
            play.history.operations.append(other)
            await insist(play, other, play.person(operation.actor), 1, ".x")
        if request.undoes is not None and operation.done:
            await pause(request.lasts_s)  # To its end also where the run is over meanwhile.
            undoing = request.undoes(operation.answer)
            await _do(play, step, f"{name}.undo", undoing, own)


async def _do(play: Play, step: Step, name: str, request: Request, own: Own) -> Operation:
    """Send a request as the step says until its answer is definite, and note what it gives."""
    person = _sender(play, step, request)
    operation = Operation(
        name, step.client, person.actor, request.kind, request.method, request.path, request.body,
        reservation=request.reservation,
    )  # fmt: skip
    play.history.operations.append(operation)
    times = 3 if step.sending == "thrice" and operation.is_writing else 1
    await insist(play, operation, person, times)
    _learn(operation, own)
    return operation


def _sender(play: Play, step: Step, request: Request) -> Person:
    """Return who sends a request: the client's own person where that does not matter."""
    if request.actor:
        return play.person(request.actor)
    if not request.role:
        return play.people[step.client % len(play.people)]
    able = [p for p in play.people if p.role == request.role and p.actor != request.avoids]
    return able[step.client % len(able)] if able else play.people[-1]


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
    if operation.is_keyed:
        headers["Idempotency-Key"] = operation.name
    attempt = Attempt(request_id, play.now, 0)
    sent = {"json": operation.body} if operation.body is not None else {}
    try:
        found = await play.client.request(
            operation.method,
            operation.path,
            headers=headers,
            timeout=operation.may_take_s + GIVES_UP_AFTER_S,
            **sent,
        )
    except httpx.TransportError as error:
        attempt.fault = type(error).__name__
        attempt.is_late = isinstance(error, httpx.ReadTimeout)
    else:
        attempt.status = found.status_code
        attempt.answer, attempt.fault = _read(found)
        attempt.retry_after = found.headers.get("Retry-After", "")
    attempt.ended = play.now
    if attempt.is_done and operation.is_writing:
        play.last_done = attempt.ended
    return attempt


def _read(found: httpx.Response) -> tuple[Any, str]:
    """Return the JSON of an answer, and what is wrong with its form."""
    if found.status_code == HTTP_EMPTY and not found.content:
        return {}, ""
    try:
        answer = found.json()
    except ValueError:
        return found.text[:500], "no JSON"
    if not isinstance(answer, dict):
        return answer, "no object"
    if found.is_error and not {"code", "title", "request_id"} <= answer.keys():
        return answer, "no problem"
    return answer, ""


def _learn(operation: Operation, own: Own) -> None:
    """Note what a client has from now on, or others may go on with."""
    answer, shared = operation.answer, own.shared
    if answer is None:
        return
    if operation.is_awaiting:
        shared.approvals.append((answer["id"], operation.actor))
        return
    match operation.kind:
        case "movement" | "assembly":
            own.movements.append(answer["id"])
        case "reserve":
            own.reservations.append((answer["id"], operation.name, len(answer["lines"])))
        case "dispatch":
            own.transfers.append((answer["id"], int(answer["quantity"])))
        case "open_count":
            body = operation.body
            shared.counts.append((answer["id"], body["locations"][0], body["items"]))
        case "post_count" | "cancel_count":
            shared.close_count(answer["id"])
        case "approve" | "reject" | "withdraw":
            shared.close_approval(answer["id"])
