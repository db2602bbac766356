"""The commands that a page shows, as a reader would type them."""

import re
from pathlib import Path

_FENCED = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks_of(page: Path, heading: str = "") -> list[str]:
    """Return the blocks of shell of a page, or of what stands below one of its headings."""
    text = page.read_text()
    if heading:
        text = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return _FENCED.findall(text)


def commands_of(page: Path, heading: str = "") -> list[str]:
    """Return the lines of those blocks that are commands."""
    lines = (line for block in blocks_of(page, heading) for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
