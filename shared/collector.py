"""The garbage collector of a process that serves: it has little to find, so it looks rarely."""

import gc

# New objects before it looks at the young ones; then how many looks before it looks further. At
# Python's 700 it searches the lines of one large body over and over while they are read, which
# takes as long as reading them.
THRESHOLDS = (50_000, 20, 20)


def calm_collector() -> None:
    """Let the collector look rarely, and never again at what is loaded now."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
