"""So much for one user, so much for one tenant: what nobody may take all of."""

from typing import Final, TypeAlias

USER_SHARE: Final = 0.5
TENANT_SHARE: Final = 0.75

Holder: TypeAlias = tuple[bytes, bytes]
"""Who takes: a user (or, not signed in, a network) and a tenant (or the same network)."""


class Shares:
    """Counts what is taken of a whole, by user and by tenant; either gets at least one."""

    __slots__ = ("_taken", "_tenant_max", "_user_max", "_whole", "total")

    def __init__(
        self, whole: int, *, user: float = USER_SHARE, tenant: float = TENANT_SHARE
    ) -> None:
        """`user` and `tenant` are shares of the whole in (0, 1]."""
        self._whole = whole
        self._user_max = max(int(whole * user), 1)
        self._tenant_max = max(int(whole * tenant), 1)
        self._taken: dict[bytes, int] = {}
        self.total = 0

    def may_take(self, holder: Holder, amount: int = 1) -> bool:
        """Say whether the holder's shares and the whole leave this much."""
        taken = self._taken
        return (
            self.total + amount <= self._whole
            and taken.get(holder[0], 0) + amount <= self._user_max
            and taken.get(holder[1], 0) + amount <= self._tenant_max
        )

    def take(self, holder: Holder, amount: int = 1) -> bool:
        """Take it, if it may be taken; say whether it was."""
        if not self.may_take(holder, amount):
            return False
        self.add(holder, amount)
        return True

    def add(self, holder: Holder, amount: int = 1) -> None:
        """Take what may be taken, as has been seen."""
        self.total += amount
        taken = self._taken
        for key in holder:
            taken[key] = taken.get(key, 0) + amount

    def give_back(self, holder: Holder, amount: int = 1) -> None:
        """Give back what was taken."""
        self.total -= amount
        taken = self._taken
        for key in holder:
            left = taken[key] - amount
            if left:
                taken[key] = left
            else:
                del taken[key]
