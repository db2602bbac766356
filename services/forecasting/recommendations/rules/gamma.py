"""The gamma distribution without SciPy: the web process decides reorders and stays small.

P(a, x) by series and continued fraction, the quantile by Halley steps from Wilson and Hilferty's
start: Press et al., Numerical Recipes, 3rd ed., sections 6.2 and 6.2.1. The widest shape of a level
by golden section: same, section 10.2.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

SHAPE_MIN = 1e-3  # A standard deviation above 30 means says nothing more about the mean.
SHAPE_SPREADLESS = 1e30  # From here on no digit of the quantile differs from the mean's.
SHAPE_CUBE = 1e4  # From here on Wilson and Hilferty's cube of a normal is right to 1e-7.
TERMS_MAX = 10_000
PRECISION = 1e-14
TINY = 1e-300
STEPS_MAX = 100
STEP_MIN = 1e-9  # Relative; Halley triples the digits, so the result holds more.
LOG_DENSITY_MIN = -700.0  # exp() of less is zero.
MEDIAN = 0.5
SHAPE_MAX = 1e8  # Where the widest shape is looked for; beyond, quantile and mean are one.
GOLDEN = (math.sqrt(5) - 1) / 2
WIDTH_MIN = 1e-6  # Of the logarithm of a shape: the quantile at its peak is flat.
LEVELS_KEPT = 64


def gamma_cdf(x: float, shape: float) -> float:
    """Return P(X <= x) for a gamma variable of the given shape and scale 1.

    Raises ValueError unless shape > 0.
    """
    if shape <= 0:
        raise ValueError("the shape of a gamma distribution must be positive")
    if x <= 0:
        return 0.0
    log_factor = shape * math.log(x) - x - math.lgamma(shape)
    if x < shape + 1:
        return min(_series(x, shape) * math.exp(log_factor), 1.0)
    return max(1.0 - _continued_fraction(x, shape) * math.exp(log_factor), 0.0)


def gamma_quantile(level: float, mean: float, variance: float) -> float:
    """Return the value that a gamma variable with these moments stays below with chance `level`.

    Without variance it is the mean; a variance beyond mean^2 / SHAPE_MIN counts as that.
    Raises ValueError unless 0 < level < 1, mean > 0 and variance >= 0.
    """
    if not 0 < level < 1 or mean <= 0 or variance < 0:
        raise ValueError("a gamma quantile needs 0 < level < 1, mean > 0 and variance >= 0")
    shape = max(mean * mean / variance, SHAPE_MIN) if variance > 0 else math.inf
    if shape >= SHAPE_SPREADLESS:
        return mean
    return _standard_quantile(level, shape) * mean / shape


def covering_quantile(level: float, mean: float, variance: float) -> float:
    """Return a gamma quantile that above the median never falls as the variance grows.

    At a fixed mean a gamma's upper quantile rises with the variance only so far: beyond, the mean
    lies in ever rarer and larger values above the level, and the quantile goes back to zero, as if
    to know less were to need less. So it is the largest quantile of any gamma with this mean and no
    more variance, and never below the mean. Below the median it is the plain quantile.
    Raises ValueError as gamma_quantile does.
    """
    if level < MEDIAN:
        return gamma_quantile(level, mean, variance)
    widest = mean * mean / _widest_shape(level)
    return max(gamma_quantile(level, mean, min(variance, widest)), mean)


@lru_cache(maxsize=LEVELS_KEPT)
def _widest_shape(level: float) -> float:
    """Return the shape at which the quantile of `level` is the largest multiple of the mean.

    The multiple has one peak over the shapes; for the median it is at infinity.
    """

    def multiple(log_shape: float) -> float:
        return gamma_quantile(level, 1.0, math.exp(-log_shape))

    low, high = math.log(SHAPE_MIN), math.log(SHAPE_MAX)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = multiple(left), multiple(right)
    while high - low > WIDTH_MIN:
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = multiple(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = multiple(left)
    return math.exp((low + high) / 2)


def _standard_quantile(level: float, shape: float) -> float:
    """Quantile for scale 1: Halley's steps inside a bracket, halved when they leave it."""
    low, high = 0.0, math.inf
    x = _start(level, shape)
    if shape >= SHAPE_CUBE:
        return x
    for _ in range(STEPS_MAX):
        error = gamma_cdf(x, shape) - level
        low, high = (x, high) if error < 0 else (low, x)
        log_density = (shape - 1) * math.log(x) - x - math.lgamma(shape)
        newton = error * math.exp(-log_density) if log_density > LOG_DENSITY_MIN else math.inf
        halley = 1 - 0.5 * min(1.0, newton * ((shape - 1) / x - 1)) if newton < math.inf else 1.0
        step = newton / halley
        if abs(step) <= STEP_MIN * x:
            return x - step
        following = x - step
        if not low < following < high:
            following = (low + high) / 2 if high < math.inf else 2 * x
        if following < TINY:
            return 0.0
        x = following
    return x


def _start(level: float, shape: float) -> float:
    if shape > 1:
        z = NormalDist().inv_cdf(level)
        cube = 1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))
        return max(shape * cube**3, 1e-3 * shape)
    below_one = 1 - shape * (0.253 + shape * 0.12)
    if level < below_one:
        return max(math.pow(level / below_one, 1 / shape), TINY)
    return 1 - math.log(1 - (level - below_one) / (1 - below_one))


def _series(x: float, shape: float) -> float:
    term = total = 1 / shape
    for n in range(1, TERMS_MAX):
        term *= x / (shape + n)
        total += term
        if term < total * PRECISION:
            break
    return total


def _continued_fraction(x: float, shape: float) -> float:
    b = x + 1 - shape
    c = 1 / TINY
    d = 1 / b
    fraction = d
    for n in range(1, TERMS_MAX):
        numerator = -n * (n - shape)
        b += 2
        d = numerator * d + b
        d = 1 / (d if abs(d) > TINY else TINY)
        c = b + numerator / c
        c = c if abs(c) > TINY else TINY
        fraction *= d * c
        if abs(d * c - 1) < PRECISION:
            break
    return fraction
