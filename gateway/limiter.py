"""Counting requests against their rates: all of one request at once, in Redis or, without it, here.

The generic cell rate algorithm (ITU-T I.371, annex A): a rate keeps one moment, until which its
allowance has been used up. A request moves it on by one interval, and is refused if that were
further ahead of now than the whole allowance. A request that one rate refuses uses up no other.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from time import time
from typing import Final

from gateway.rates import PER_ADDRESS, Counted, Rate, Verdict
from gateway.store import Store

COMMANDS_MAX: Final = 16_384  # A user at work asks for the same things again and again.
LOCAL_KEYS_MAX: Final = 100_000  # So many allowances are known here; then the oldest are forgotten.

# The clock is Redis', so that every gateway has the same. Keys live as long as they say anything.
SCRIPT: Final = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local refused, nearest, left, wait = 0, 0, -1, 0
local until_us = #KEYS > 0 and redis.call('MGET', unpack(KEYS)) or {}
for i = 1, #KEYS do
  local interval, capacity = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local used = math.max(tonumber(until_us[i] or 0), now) + interval
  local spare = capacity - (used - now)
  until_us[i] = used
  if spare < 0 then
    if refused == 0 or -spare > wait then refused, wait = i, -spare end
  elseif refused == 0 then
    local more = math.floor(spare / interval)
    if left < 0 or more < left then nearest, left, wait = i, more, used - now end
  end
end
if refused > 0 then return {ok = string.format('1 %d 0 %.0f', refused, wait)} end
for i = 1, #KEYS do
  local lifetime_ms = math.ceil((until_us[i] - now) / 1000)
  redis.call('SET', KEYS[i], string.format('%.0f', until_us[i]), 'PX', lifetime_ms)
end
return {ok = string.format('0 %d %d %.0f', nearest, left, wait)}
"""


class Limiter:
    """Judges requests by the allowances that all gateways share, by our own while Redis is away."""

    def __init__(self, store: Store, processes: int = 1) -> None:
        """Take the number of this gateway's processes, who share what is counted here."""
        self._store = store
        self._local = LocalLimiter(processes)
        self._command = lru_cache(COMMANDS_MAX)(self._make_command)

    def judge(self, counted: tuple[Counted, ...], tell: Callable[[Verdict], None]) -> None:
        """Tell what the rates say of a request, and count it unless one of them refuses."""

        def on_reply(line: bytes | None) -> None:
            if line is None:
                tell(self._local.judge(counted, time()))
                return
            is_refused, place, left, wait_us = map(int, line.split())
            tell(Verdict(bool(is_refused), counted[place - 1][0], left, wait_us))

        self._store.call(self._command(counted), on_reply)

    def _make_command(self, counted: tuple[Counted, ...]) -> bytes:
        return self._store.command(
            [b"rate:%b:%b" % (rate.encoded_name, whose) for rate, whose in counted],
            [rate.arguments for rate, _ in counted],
        )


class LocalLimiter:
    """The same judgement within this process.

    Of the strict rates, those by address, each process has its share, so that together they let
    no more guesses pass; the others no user comes near.
    """

    def __init__(self, processes: int = 1, keys_max: int = LOCAL_KEYS_MAX) -> None:
        self._keys_max = keys_max
        self._share = lru_cache(partial(_share, processes=processes))
        self._until_us: dict[tuple[str, bytes], int] = {}

    def judge(self, counted: Sequence[Counted], now_s: float) -> Verdict:
        """Return what the rates say of a request, and count it unless one of them refuses."""
        now = round(now_s * 1_000_000)
        verdict: Verdict | None = None
        moved = {}
        for shared, whose in counted:
            rate = self._share(shared)
            key = (rate.name, whose)
            used = moved[key] = max(self._until_us.get(key, 0), now) + rate.interval_us
            spare = rate.capacity_us - (used - now)
            if spare < 0:
                if verdict is None or not verdict.is_refused or -spare > verdict.wait_us:
                    verdict = Verdict(is_refused=True, rate=rate, left=0, wait_us=-spare)
                continue
            left = spare // rate.interval_us
            if verdict is None or (not verdict.is_refused and left < verdict.left):
                verdict = Verdict(is_refused=False, rate=rate, left=left, wait_us=used - now)
        if verdict is None:
            raise ValueError("a request counts against some rate")
        if not verdict.is_refused:
            self._keep(moved)
        return verdict

    def _keep(self, moved: dict[tuple[str, bytes], int]) -> None:
        for key, used in moved.items():
            self._until_us.pop(key, None)  # To the end: the one used last is forgotten last.
            self._until_us[key] = used
        while len(self._until_us) > self._keys_max:
            del self._until_us[next(iter(self._until_us))]


def _share(rate: Rate, *, processes: int) -> Rate:
    """Return what one of so many processes lets in of a rate."""
    if rate.name not in PER_ADDRESS or processes == 1:
        return rate
    return Rate(rate.name, max(rate.count // processes, 1), rate.window_s)
