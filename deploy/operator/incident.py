"""`incident`: hold everything as it is, see who did what, keep the evidence, shut somebody out."""

from argparse import Namespace
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from deploy.operator.errors import OperatorError
from deploy.operator.evidence import collect
from deploy.operator.place import Installation
from deploy.operator.report import DONE, FINDINGS, Report
from shared.clock import utc_now

SINCE_DEFAULT = timedelta(hours=24)


def freeze(place: Installation, asked: Namespace) -> Report:
    """Freeze all stock of some tenants or of all: nobody changes it until it is lifted."""
    ids = _tenants(place, asked.tenant)
    done = place.ask_json("inventory", "freeze", asked.reason, *ids)
    return Report(
        [f"Frozen now: {len(done['frozen'])}; frozen before: {len(done['frozen_before'])}."], done
    )


def lift(place: Installation, asked: Namespace) -> Report:
    """Lift what `freeze` froze; what a tenant's own people froze, they lift themselves."""
    done = place.ask_json("inventory", "lift", asked.note, *_tenants(place, asked.tenant))
    others = len(done["frozen_by_others"])
    line = f"Lifted: {len(done['lifted'])}; left as the tenant's own people froze it: {others}."
    return Report([line], done)


def end_sessions(place: Installation, asked: Namespace) -> Report:
    """End all that one person has open; with `--lock` the account too, or everybody's."""
    if asked.everybody:
        said = place.ask("auth", "end-sessions")
    elif asked.tenant and asked.email:
        verb = "lock-user" if asked.lock else "end-sessions-of"
        said = place.ask("auth", verb, asked.tenant[0], asked.email)
    else:
        raise OperatorError("Say whose: --tenant and --email, or --everybody.")
    return Report([said.rpartition("\n")[2]], {"done": said.rpartition("\n")[2]})


def list_changes(place: Installation, asked: Namespace) -> Report:
    """Return who did what since a moment, by the journals of all services."""
    since = asked.since or (utc_now() - SINCE_DEFAULT).isoformat()
    only = set(_tenants(place, asked.tenant)) if asked.tenant else None
    told = place.ask_all("changes", since)
    entries = sorted(
        (
            {"service": service, **entry}
            for service, each in told.items()
            for entry in each["entries"]
            if (only is None or entry["tenant_id"] in only)
            and (asked.actor is None or entry["actor"] == asked.actor)
        ),
        key=lambda entry: entry["recorded_at"],
    )
    cut = [service for service, each in told.items() if each["has_more"]]
    lines = [
        f"{entry['recorded_at'][:23]}  {entry['actor']:<42} {entry['type']:<40} {entry['subject']}"
        for entry in entries
    ]
    lines += [f"{service} has more: ask for a later moment" for service in cut]
    return Report([*lines, f"{len(entries):,} entries"], {"entries": entries, "cut": cut})


def keep_evidence(place: Installation, asked: Namespace) -> Report:
    """Collect what an inquiry needs into a folder whose content is hashed and signed."""
    since = asked.since or (utc_now() - SINCE_DEFAULT).isoformat()
    folder = Path(asked.into)
    kept = collect(place, folder, since)
    lines = [
        f"{folder}: {len(kept.files)} files, SHA-256 of SHA256SUMS {kept.digest}",
        "Write this number down where nobody of this installation can change it.",
        *(f"BAD  {text}" for text in kept.bad),
    ]
    content = {
        "folder": str(folder), "sha256": kept.digest, "files": kept.files, "bad": kept.bad,
        "signed_by": kept.signed_by,
    }  # fmt: skip
    return Report(lines, content, FINDINGS if kept.bad else DONE)


def _tenants(place: Installation, named: Sequence[str]) -> list[str]:
    """Return the ids of tenants named by id or short name; `all` is everybody."""
    if not named:
        raise OperatorError("Say of which tenants: --tenant NAME, or --tenant all.")
    known = place.ask_json("auth", "tenants")
    if list(named) == ["all"]:
        return [tenant["id"] for tenant in known]
    found = {name: tenant["id"] for tenant in known for name in (tenant["id"], tenant["slug"])}
    missing = [name for name in named if name not in found]
    if missing:
        raise OperatorError(f"There is no tenant {missing[0]}.")
    return [found[name] for name in named]
