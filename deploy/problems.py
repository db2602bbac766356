"""The catalogue of problems that the gateway explains at `/problems/…`, in English and French.

It is made of the classes of all packages, since the gateway knows those of no service, and written
to `gateway/problems.json` by `make messages`.
"""

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from babel.messages.pofile import read_po

from deploy.messages import LANGUAGE, ROOT, catalogue_path, packages
from shared.errors import Problem

PATH = ROOT / "gateway" / "problems.json"
PRODUCT = ("shared.", "gateway.", "services.")


def problems() -> list[type[Problem]]:
    """Return every problem of the product, each after those that it derives from, then by name."""
    for package in packages(ROOT):
        for path in sorted(package.rglob("*.py")):
            if "(Problem)" in (text := path.read_text()) or "\n    slug" in text:
                import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    found = {kind for kind in _below(Problem) if kind.__module__.startswith(PRODUCT)}
    return sorted(found, key=lambda kind: (len(kind.__mro__), kind.__module__, kind.__name__))


def catalogue() -> dict[str, Any]:
    """Return what the gateway tells of each slug: its status, its title and details by language.

    A slug that several classes share has the title of the first, and the details of all. A text
    that counts stands in its plural.
    """
    french = _french()
    found: dict[str, Any] = {}
    for kind in problems():
        detail = kind.detail if isinstance(kind.detail, str) else kind.detail[-1]
        about = found.setdefault(
            kind.slug,
            {
                "status": kind.status,
                "title": {"en": kind.title, "fr": french[kind.title]},
                "details": {"en": [], "fr": []},
            },
        )
        if detail not in about["details"]["en"]:
            about["details"]["en"].append(detail)
            about["details"]["fr"].append(french[detail])
    return dict(sorted(found.items()))


def write() -> None:
    """Write the catalogue, one line for each slug."""
    lines = [
        f"{json.dumps(slug)}: {json.dumps(about, ensure_ascii=False)}"
        for slug, about in catalogue().items()
    ]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _below(kind: type[Problem]) -> Iterator[type[Problem]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _below(each)


def _plural(text: Any) -> str:  # noqa: ANN401 - what a catalogue holds.
    """Return a text, or the last of its forms."""
    return text if isinstance(text, str) else str(text[-1])


def _french() -> dict[str, str]:
    """Return the French of every message; of one that counts, of its plural."""
    texts = {}
    for package in packages(ROOT):
        path = catalogue_path(package)
        if path.exists():
            with path.open("rb") as file:
                for message in read_po(file, locale=LANGUAGE):
                    texts[_plural(message.id)] = _plural(message.string)
    return texts


if __name__ == "__main__":
    write()
