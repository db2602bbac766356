"""Every promise of one service to another: journal entries, and answers on `/internal`."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from shared.contracts.auth.api_keys import ApiKeyTokenRead
from shared.contracts.auth.revocations import RevocationsRead
from shared.contracts.auth.service_tokens import ServiceTokenRead
from shared.contracts.catalogue import entries
from shared.contracts.forecasting.recommendations import TenantRecommendationPage
from shared.journal import ArchivedNumbers, JournalDigests, JournalPage, JournalVerification
from shared.journal.holds import ActiveHolds
from tests.support.tree import ROOT

GOLDEN = ROOT / "docs" / "contracts"
# By method and path; the journal's are given by every service.
ANSWERS: dict[str, type[BaseModel]] = {
    "GET /internal/journal": JournalPage,
    "GET /internal/journal/digests": JournalDigests,
    "GET /internal/journal/archived": ArchivedNumbers,
    "GET /internal/journal/verify": JournalVerification,
    "GET /internal/legal-holds": ActiveHolds,
    "GET /internal/recommendations": TenantRecommendationPage,
    "GET /internal/revocations": RevocationsRead,
    "POST /internal/api-keys/exchange": ApiKeyTokenRead,
    "POST /internal/token": ServiceTokenRead,
}
Json = dict[str, Any]


def schemas() -> dict[str, Json]:
    """The JSON schema of every promise, by the name of its golden file."""
    found: dict[str, Json] = {}
    for name, entry in entries().items():
        needed = [field for field, info in entry.model_fields.items() if info.is_required()]
        # As it is written, but what has a default may be missing: entries of before are read too.
        found[name] = entry.model_json_schema(mode="serialization") | {"required": needed}
    for route, answer in ANSWERS.items():
        name = route.split("/internal/")[1].replace("/", "-")
        found[f"internal.{name}"] = answer.model_json_schema(mode="serialization")
    return found


def golden() -> dict[str, Json]:
    """The schemas as they were last written."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))}


def breaks(old: Json, new: Json) -> Iterator[str]:
    """What in the new schema would break whoever goes by the old one.

    Fields and choices may be added; what is there stays, of its type, and stays promised.
    """
    yield from _breaks("", _resolved(old, old), _resolved(new, new))


def lacks_default(old: Json, new: Json) -> list[str]:
    """What was added to an entry without a default, so that entries of before cannot be read."""
    return sorted(set(new.get("required", ())) - set(old["properties"]))


def _breaks(place: str, was: Json, now: Json) -> Iterator[str]:
    for name, kind in was.get("properties", {}).items():
        where = f"{place}{name}"
        if name not in now.get("properties", {}):
            yield f"{where} is gone"
        else:
            yield from _breaks(f"{where}.", kind, now["properties"][name])
    for name in set(was.get("required", ())) - set(now.get("required", ())):
        yield f"{place}{name} is no longer promised"
    if "items" in was:
        yield from _breaks(f"{place}[].", was["items"], now.get("items", {}))
    if _kind(was) != _kind(now):
        yield f"{place.rstrip('.') or 'all of it'} is {_kind(now)}, was {_kind(was)}"
    if gone := [choice for choice in was.get("enum", ()) if choice not in now.get("enum", ())]:
        yield f"{place.rstrip('.')} may no longer be {gone}"


def _kind(schema: Json) -> Any:
    """What a value is, without its description, its fields and its choices."""
    if "anyOf" in schema:
        return sorted(str(_kind(each)) for each in schema["anyOf"])
    return {name: schema[name] for name in ("type", "format", "pattern") if name in schema}


def _resolved(schema: Any, root: Json) -> Any:
    """The schema with what it refers to in its place."""
    if isinstance(schema, list):
        return [_resolved(each, root) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "const" in schema:
        return {**schema, "enum": [schema["const"]]}
    return {name: _resolved(each, root) for name, each in schema.items() if name != "$defs"}
