"""The stock of one level over business time, for movements that are recorded late."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

NOTHING = Decimal(0)


class Timeline:
    """What lay at one level from some instant on; changes may be added at any instant known.

    A binary tree over the instants, in an array: node k has the children 2k and 2k + 1, and holds
    the sum of the changes below it and the lowest sum of any beginning of them (0 for none). So
    adding a change, and asking for the lowest stock from an instant on, cost the logarithm of the
    number of instants.
    """

    def __init__(
        self,
        opening: Decimal,
        changes: Iterable[tuple[datetime, Decimal]],
        instants: Iterable[datetime] = (),
    ) -> None:
        """Begin with what lay before the first instant, and the changes known since.

        instants are those at which `add` will be called, but for later ones, which count as the
        last of them.
        """
        known = list(changes)
        self._opening = opening
        self._instants = sorted({at for at, _ in known} | set(instants))
        size = 1
        while size <= len(self._instants):  # One leaf more than instants: the end has a place.
            size *= 2
        self._size = size
        self._sum = [NOTHING] * (2 * size)
        self._low = [NOTHING] * (2 * size)
        for at, quantity in known:
            leaf = size + bisect_left(self._instants, at)
            self._sum[leaf] += quantity
            self._low[leaf] = min(NOTHING, self._sum[leaf])
        for node in range(size - 1, 0, -1):
            self._join(node)

    @property
    def instants(self) -> Sequence[datetime]:
        """The instants at which it changes, or may, in order."""
        return self._instants

    def at(self, instant: datetime) -> Decimal:
        """Return the stock at the end of an instant."""
        return self._before(bisect_right(self._instants, instant))

    def lowest_from(self, instant: datetime) -> Decimal:
        """Return the lowest stock at the instant or at any later one."""
        position = bisect_right(self._instants, instant)
        node = self._size + position
        total, low = self._sum[node], self._low[node]  # Of the changes after the instant.
        while node > 1:
            if node % 2 == 0:
                low = min(low, total + self._low[node + 1])
                total += self._sum[node + 1]
            node //= 2
        return self._before(position) + low

    def add(self, instant: datetime, quantity: Decimal) -> None:
        """Change the stock from one of the known instants on."""
        node = self._size + min(bisect_left(self._instants, instant), len(self._instants) - 1)
        self._sum[node] += quantity
        self._low[node] = min(NOTHING, self._sum[node])
        while node > 1:
            node //= 2
            self._join(node)

    def earliest(self, instant: datetime, quantity: Decimal) -> datetime | None:
        """Return the first instant from which on so much lies there for good; None if never.

        That is the instant asked about, or the first one after the last at which too little lay.
        """
        if self.lowest_from(instant) >= quantity:
            return instant
        if self._opening + self._sum[1] < quantity:
            return None
        # Down from the root to the last place before which too little lies: right before left.
        node, before = 1, self._opening
        while node < self._size:
            middle = before + self._sum[2 * node]
            if middle + self._low[2 * node + 1] < quantity:
                node, before = 2 * node + 1, middle
            else:
                node = 2 * node
        return self._instants[node - self._size]

    def _before(self, position: int) -> Decimal:
        """Return the stock after the first `position` instants."""
        stock, node = self._opening, self._size + position
        while node > 1:
            if node % 2:
                stock += self._sum[node - 1]
            node //= 2
        return stock

    def _join(self, node: int) -> None:
        left, right = 2 * node, 2 * node + 1
        self._sum[node] = self._sum[left] + self._sum[right]
        self._low[node] = min(self._low[left], self._sum[left] + self._low[right])
