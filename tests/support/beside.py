"""Which tests xdist keeps in one process, where it runs them in several side by side."""

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

# Their files share what is dear: a running system, or the whole code as syntax trees.
TOGETHER = ("tests/architecture", "tests/attack", "tests/e2e", "tests/torture")


class ByFolder(LoadScopeScheduling):
    """Gives a process a file at a time, or a folder where its files belong together."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = str(PurePosixPath(path).parent)
        return folder if folder in TOGETHER else path
