"""Sets of entries' numbers."""


class Numbers:
    """A set of entries' numbers, a bit for each: they are many, and close together."""

    _BITS = 1 << 16

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def add(self, numbers: list[int]) -> None:
        for block, bits in self._bits(numbers).items():
            self._blocks[block] = self._blocks.get(block, 0) | bits

    def remove(self, numbers: list[int]) -> None:
        for block, bits in self._bits(numbers).items():
            self._blocks[block] = self._blocks.get(block, 0) & ~bits

    def first(self) -> int | None:
        """Return the lowest number that is there."""
        for block, bits in sorted(self._blocks.items()):
            if bits:
                return block * self._BITS + (bits & -bits).bit_length() - 1
        return None

    def _bits(self, numbers: list[int]) -> dict[int, int]:
        marks: dict[int, bytearray] = {}
        for number in numbers:
            block, bit = divmod(number, self._BITS)
            mark = marks.setdefault(block, bytearray(self._BITS // 8))
            mark[bit >> 3] |= 1 << (bit & 7)
        return {block: int.from_bytes(mark, "little") for block, mark in marks.items()}
