"""A value with its unit, as short as it can be read: `45 ms`, `1.2 M`, `85 %`."""

from typing import Final

_DAY_S: Final = 86400
_DAYS_FROM: Final = 2  # Below that hours tell more.
_SECONDS: Final = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_BYTES: Final = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
_THOUSANDS: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
# The steps, what stands behind a value below the least of them, and behind all.
_UNITS: Final = {
    "s": (_SECONDS, " s", ""),
    "bytes": (_BYTES, " B", ""),
    "Bps": (_BYTES, " B", "/s"),
    "reqps": (_THOUSANDS, "", "/s"),
    "ops": (_THOUSANDS, "", "/s"),
    "short": (_THOUSANDS, "", ""),
}


def shown(value: float, unit: str) -> str:
    """Return the value in a unit of Grafana's: s, bytes, Bps, percentunit, reqps, ops or short."""
    if unit == "percentunit":
        return f"{_rounded(value * 100)} %"
    if unit == "s" and abs(value) >= _DAYS_FROM * _DAY_S:
        return f"{_rounded(value / _DAY_S)} d"
    steps, base, suffix = _UNITS[unit]
    return f"{_scaled(value, steps, base)}{suffix}"


def _scaled(value: float, steps: tuple[tuple[float, str], ...], base: str) -> str:
    """Return the value in the largest unit of which there is one; `base` where it is smaller."""
    for size, name in steps:
        if abs(value) >= size:
            return f"{_rounded(value / size)} {name}"
    return f"{_rounded(value)}{base}"


def _rounded(value: float) -> str:
    """Return three figures, without exponents and needless noughts."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three of them.
    return f"{value:.3f}" if "e" in text else text
