"""What a command comes to: said to people, or with `--json` to programs."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JSON_WORD = "--json"


@dataclass(frozen=True, slots=True)
class Told:
    """What is answered; what is bad ends the process with 1, and is said to people on stderr."""

    text: str
    content: Mapping[str, Any]
    is_bad: bool = False


def tell(said: Told | str, *, as_json: bool) -> None:
    """Write the answer. Raises SystemExit where it is bad."""
    if not as_json:
        text = said if isinstance(said, str) else said.text
        if isinstance(said, Told) and said.is_bad:
            raise SystemExit(text)
        sys.stdout.write(f"{text}\n")
        return
    content = _content_of(said) if isinstance(said, str) else said.content
    sys.stdout.write(json.dumps(content, ensure_ascii=False, default=str) + "\n")
    if isinstance(said, Told) and said.is_bad:
        raise SystemExit(1)


def as_told(failure: SystemExit) -> Told:
    """Return what a command says that could not be done."""
    return Told(str(failure.code), {"ok": False, "error": str(failure.code)}, is_bad=True)


def _content_of(text: str) -> Any:  # noqa: ANN401 - any JSON.
    """Return what a text says to programs: some are JSON by themselves."""
    try:
        return json.loads(text)
    except ValueError:
        return {"ok": True, "said": text}
