"""Bring every French catalogue up to date with the messages marked in the code.

`python -m deploy.messages` adds new messages, drops those that are gone, keeps translations, and
fails when one is missing. Messages are found by `N_(...)` and `NP_(...)`.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
LANGUAGE = "fr"
PROJECT = "stockwright"
KEYWORDS = {"N_": None, "NP_": (1, 2)}
METHODS = [("**.py", "python")]
LINE_WIDTH = 100
HEADER = "# French messages. `make messages` keeps this file in step with the code."


def packages(root: Path) -> list[Path]:
    """Return the packages that own messages, each with a `locales` folder of its own."""
    return [root / "shared", root / "gateway", *sorted((root / "services").glob("[a-z]*/"))]


def catalogue_path(package: Path) -> Path:
    """Return where a package keeps its French."""
    return package / "locales" / LANGUAGE / "LC_MESSAGES" / "messages.po"


def source_messages(package: Path) -> Catalog:
    """Return the messages that the code of `package` marks, in the order of its files."""
    found = Catalog()
    for name, _line, message, _comments, context in extract_from_dir(
        package, METHODS, keywords=KEYWORDS
    ):
        # Without line numbers: a change elsewhere in a file is no change of its messages.
        found.add(message, locations=[(f"{package.name}/{name}", 0)], context=context)
    return found


def update(package: Path) -> list[str]:
    """Rewrite the catalogue of `package`; return the messages that still have no translation."""
    path = catalogue_path(package)
    wanted = source_messages(package)
    if not len(wanted):
        return []
    catalogue = Catalog(locale=LANGUAGE, fuzzy=False)
    if path.exists():
        with path.open("rb") as source:
            catalogue = read_po(source, locale=LANGUAGE)
    catalogue.update(wanted, no_fuzzy_matching=True, update_creation_date=False)
    _set_header(catalogue)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        write_po(target, catalogue, width=LINE_WIDTH, ignore_obsolete=True, include_lineno=False)
    return [str(message.id) for message in catalogue if message.id and not _is_translated(message)]


def _set_header(catalogue: Catalog) -> None:
    """Say in the header what is true, where gettext's template has placeholders."""
    catalogue.header_comment = HEADER
    catalogue.project, catalogue.version = PROJECT, "1"
    catalogue.last_translator = catalogue.language_team = PROJECT
    catalogue.msgid_bugs_address = PROJECT
    catalogue.revision_date = catalogue.creation_date


def _is_translated(message: object) -> bool:
    text = getattr(message, "string", "")
    return all(text) if isinstance(text, tuple | list) else bool(text)


def main() -> int:
    missing = 0
    for package in packages(ROOT):
        for text in update(package):
            missing += 1
            path = catalogue_path(package).relative_to(ROOT)
            sys.stdout.write(f"{path}: not translated: {text}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
