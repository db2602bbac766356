"""What was tried against the system, and what of it was held: the table at the end of a run."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field

import httpx
import pytest

BROKEN_SHOWN = 12
TEXT_SHOWN = 300
PROPERTY = "attack"  # Of a test's report.


@dataclass
class Attack:
    """One kind of attack: how often it was tried, and the requests by which it got somewhere."""

    name: str
    tried: int = 0
    broken: list[str] = field(default_factory=list)

    def note(self, held: object, request: str) -> None:
        """Count one attempt; `request` is told where it was not held."""
        self.tried += 1
        if not held:
            self.broken.append(request)

    def expect(self, answer: httpx.Response, *allowed: int, code: str = "", what: str = "") -> None:
        """Count one attempt that must be answered so: with one of the statuses, and the code."""
        held = answer.status_code in allowed and (not code or code_of(answer) == code)
        self.note(held, f"{what} {shown(answer)}".strip())


@dataclass
class Attempts:
    """The attacks of a test, or of a run."""

    attacks: list[Attack] = field(default_factory=list)

    @classmethod
    def of_run(cls, reports: Iterable[object]) -> "Attempts":
        """Return what the tests of a run have tried, wherever they ran."""
        ended = (r for r in reports if isinstance(r, pytest.TestReport) and r.when == "teardown")
        told = (value for r in ended for name, value in r.user_properties if name == PROPERTY)
        return cls([Attack(*attack) for attack in told])

    def record(self, record_property: Callable[[str, object], None]) -> None:
        """Let the report of a test tell of its attacks."""
        for attack in self.attacks:
            record_property(PROPERTY, astuple(attack))

    @contextmanager
    def of(self, name: str) -> Iterator[Attack]:
        """Give an attack to count by; at the end it fails unless all was held."""
        attack = Attack(name)
        self.attacks.append(attack)
        yield attack
        assert attack.tried
        assert not attack.broken, "\n".join(attack.broken[:BROKEN_SHOWN])

    def table(self) -> Iterator[str]:
        """Give the table, line by line."""
        if not self.attacks:
            return
        width = max(len(attack.name) for attack in self.attacks)
        yield f"{'attack':<{width}}  {'tried':>6}  {'held':>6}"
        for attack in self.attacks:
            held = attack.tried - len(attack.broken)
            yield f"{attack.name:<{width}}  {attack.tried:>6}  {held:>6}"
            yield from (f"  not held: {request}" for request in attack.broken[:BROKEN_SHOWN])
        tried = sum(attack.tried for attack in self.attacks)
        held = tried - sum(len(attack.broken) for attack in self.attacks)
        yield f"{'all':<{width}}  {tried:>6}  {held:>6}"


def code_of(answer: httpx.Response) -> str:
    """Return the code of a problem; nothing for any other answer."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("code", "")) if isinstance(body, dict) else ""


def shown(answer: httpx.Response) -> str:
    """Return request and answer in a line."""
    request = answer.request
    sent = request.content[:TEXT_SHOWN].decode("latin-1")
    return (
        f"{request.method} {request.url.raw_path.decode()} {sent} -> "
        f"{answer.status_code} {answer.text[:TEXT_SHOWN]}"
    )


def without(answer: httpx.Response, *values: str) -> tuple[int, str]:
    """Return an answer as it is compared: without what differs in any two, and without `values`."""
    text = answer.text
    for value in sorted(filter(None, values), key=len, reverse=True):
        text = text.replace(json.dumps(value)[1:-1], "*")
    return answer.status_code, re.sub(r'"request_id": ?"[^"]*"', "", text)
