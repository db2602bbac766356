"""What is done in a run and what breaks meanwhile, as data made of the seed alone.

The same seed gives each client the same steps in the same order, with the same choices in each, and
the same faults at the same seconds. What the machine makes of them in between is its own.
"""

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import orjson

GAP_S = (0.5, 2.5)  # Between faults.
WAITS = 0.75  # Of the faults.
CALM_S = 2.0  # Before the first, and after the last.

STEPS = {  # How often, in relation to one another.
    "receipt": 14, "issue": 22, "transfer": 10, "write_off": 3, "adjustment": 4, "return": 3,
    "count": 4, "late_receipt": 4, "late_issue": 7, "lot_receipt": 7, "lot_issue": 9,
    "lot_transfer": 3, "storm": 8, "reserve": 12, "commit": 9, "release": 4, "reverse": 7,
    "dispatch": 5, "receive": 6, "atomic": 7, "each": 5, "look": 6, "known": 3,
    "past_receipt": 3, "past_issue": 4, "close": 1, "freeze": 1,
    "serial_receipt": 5, "serial_issue": 4, "serial_transfer": 4, "assemble": 6, "disassemble": 4,
    "open_count": 4, "enter_count": 9, "post_count": 7, "recount": 1, "cancel_count": 1,
    "weigh": 9, "approve": 6, "reject": 1, "withdraw": 1,
}  # fmt: skip
SENDING = {"once": 86, "thrice": 9, "altered": 5}

SERVICES = ("gateway", "auth", "inventory", "forecasting", "reporting")
WORKERS = ("inventory-worker", "forecasting-worker", "reporting-worker")
LINKS = ("clients", "inventory", "postgres")
# By how many seconds the clock of a process is wrong: by what services tolerate, by more, and an
# hour back.
SKEWS = {
    "inventory +20": 20, "inventory -20": -20,
    "inventory +300": 300, "inventory -300": -300, "inventory -3600": -3600,
    "inventory-worker -3600": -3600,
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One thing that a client does, how it sends it, and where its choices come from."""

    client: int
    number: int
    kind: str
    sending: str
    seed: str

    @property
    def choices(self) -> random.Random:
        return random.Random(self.seed)


@dataclass(frozen=True)
class Fault:
    """What breaks, when at the earliest, and for how long.

    One that `waits` comes only once a write succeeded after the last one; another comes in the
    middle of the recovery from that.
    """

    at_s: float
    kind: str
    target: str
    lasts_s: float = 0.0
    waits: bool = True


@dataclass(frozen=True)
class Plan:
    """What a run is made of; `slack_s` is what a busy machine is given beyond every bound."""

    seed: str
    clients: int
    seconds: float
    faults: list[Fault]
    slack_s: float = 0.0


def steps(seed: str, client: int) -> Iterator[Step]:
    """Give the steps of a client, without end."""
    chance = random.Random(f"{seed}/steps/{client}")
    number = 0
    while True:
        [kind] = chance.choices(list(STEPS), list(STEPS.values()))
        [sending] = chance.choices(list(SENDING), list(SENDING.values()))
        yield Step(client, number, kind, sending, f"{seed}/{client}/{number}")
        number += 1


def faults(seed: str, seconds: float) -> list[Fault]:
    """Return the faults of a run: each of those there are once, in any order, then again."""
    chance = random.Random(f"{seed}/faults")
    found: list[Fault] = []
    deck: list[tuple[str, str, float]] = []
    at_s = CALM_S
    while at_s < seconds - CALM_S:
        if not deck:
            deck = list(_DECK)
            chance.shuffle(deck)
        kind, target, longest_s = deck.pop()
        lasts_s = round(chance.uniform(longest_s / 3, longest_s), 2)
        waits = chance.random() < WAITS
        found.append(Fault(round(at_s, 2), kind, target, lasts_s, waits))
        at_s += lasts_s + chance.uniform(*GAP_S)
    return found


def as_text(planned: list[Fault]) -> str:
    """Return the faults as JSON lines, to be kept, shortened by hand, and run again."""
    return "".join(orjson.dumps(asdict(fault)).decode() + "\n" for fault in planned)


def from_text(text: str) -> list[Fault]:
    return [Fault(**orjson.loads(line)) for line in text.splitlines() if line.strip()]


# Kind, target, and how long it lasts at most.
_DECK: tuple[tuple[str, str, float], ...] = (
    *(("kill", name, 0.0) for name in (*SERVICES, *WORKERS, "valkey", "postgres")),
    ("kill", "inventory", 0.0),  # Once more: it is what all of this is about.
    ("kill", "postgres", 0.0),
    ("immediate", "postgres", 0.0),
    ("kill_backend", "postgres", 0.0),
    ("terminate", "postgres", 0.0),
    ("stop_backend", "postgres", 1.5),
    *(("stop", name, 2.5) for name in ("gateway", "inventory", "inventory-worker", "valkey")),
    *(("cut", name, 0.0) for name in LINKS),
    *(("lose", name, 1.5) for name in LINKS),
    *(("delay", name, 3.0) for name in LINKS),
    *(("half_answers", name, 1.0) for name in LINKS),
    *(("restart", name, 0.0) for name in (*SERVICES, *WORKERS)),
    ("hang", "inventory", 20.0),
    ("fill", "disk", 12.0),  # In long runs alone.
    *(("skew", name, 5.0) for name in SKEWS),
    ("cut_commits", "postgres", 1.5),
    ("lose_commits", "postgres", 1.5),
    ("kill_at_commit", "inventory", 0.0),
    ("kill_at_commit", "inventory", 0.0),
)
