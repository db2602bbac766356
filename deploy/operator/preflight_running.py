"""What `preflight` asks of the running system, by its own `/health` and `/status`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.local.settings import ROOT
from deploy.operator.place import SERVICES, Installation
from deploy.operator.report import Findings
from shared.clock import utc_now
from shared.db.revisions import head_revision
from shared.version import VERSION

BACKUP_AGE_MAX = timedelta(hours=26)  # As the alerts NoBackup, NoDrill, JournalNotVerified and
DRILL_AGE_MAX = timedelta(days=8)  # CertificateExpires have it.
VERIFIED_AGE_MAX = timedelta(hours=24)
CERTIFICATE_DAYS_MIN = 21
SEALS_MAX = 2**31

Status = Mapping[str, Any]


def check_running(place: Installation, found: Findings) -> None:
    """Look at everything that answers. Raises OperatorError, StackError where nothing does."""
    health = place.get("/health", token=False)
    found.check("health", health["status"] == "ok", health["status"], "`/health` says what it is")
    status = place.get("/status")
    found.check(
        "release", status["version"] == VERSION, status["version"], f"bring it to {VERSION}"
    )
    _check_backups(status["backups"], found)
    for name in SERVICES:
        service = status["services"].get(name)
        if service is None:
            found.add(name, "fail", "does not answer", "look at its log")
        else:
            _check_service(name, service, found)
    shown = [status, *(each for each in status["services"].values() if each)]
    _check_certificates(shown, found)
    _check_people(place, found)


def _check_backups(backups: Status | None, found: Findings) -> None:
    last: Status = (backups or {}).get("last") or {}
    drill: Status = (backups or {}).get("last_drill") or {}
    state = (backups or {}).get("state", "not known")
    is_fresh = state == "made" and last["age_s"] < BACKUP_AGE_MAX.total_seconds()
    said = f"{state}, {last['age_s'] / 3600:.1f} hours ago" if last else state
    found.check("last backup", is_fresh, said, "`make backup`; its log says why it failed")
    is_proved = drill.get("ok", False) and drill["age_s"] < DRILL_AGE_MAX.total_seconds()
    came_to = "proved" if drill.get("ok") else "failed"
    said = f"{came_to}, {drill['age_s'] / 86_400:.1f} days ago" if drill else "none"
    found.check("last drill", is_proved, said, "`make drill` rehearses a restore")


def _check_service(name: str, service: Status, found: Findings) -> None:
    folder: Path = ROOT / "services" / name / "migrations"
    there, wanted = service["versions"]["migration"], head_revision(folder)
    found.check(f"{name}, release", service["version"] == VERSION, service["version"], "replace it")
    found.check(f"{name}, migrations", there == wanted, there, f"migrate to {wanted}")
    journal = service["journal"]
    verified = journal["verified_in_full_at"]
    age = utc_now() - datetime.fromisoformat(verified) if verified else None
    is_fresh = age is not None and age < VERIFIED_AGE_MAX
    said = f"{age.total_seconds() / 3600:.1f} hours ago" if age is not None else "never"
    found.check(f"{name}, journal verified", is_fresh, said, "its worker does it each hour")
    differences = journal["differences"]
    found.check(f"{name}, differences", differences == 0, str(differences), "docs/incidents.md")
    aside = sum(each["set_aside"] for each in service["follows"])
    found.check(f"{name}, set aside", aside == 0, str(aside), f"make retry SERVICE={name}")
    seals = max(service["seals"].values(), default=0)
    found.check(
        f"{name}, seals", seals < SEALS_MAX, f"{seals:,}", "another key, `make rotate-keys`"
    )


def _check_certificates(shown: list[Status], found: Findings) -> None:
    """Look at each certificate once, whoever shows it."""
    ends = {purpose: one for each in shown for purpose, one in each["certificates"].items()}
    for purpose, one in sorted(ends.items()):
        found.check(
            f"certificate, {purpose}", one["days_left"] > CERTIFICATE_DAYS_MIN,
            f"{one['days_left']:.0f} days", "renew it: `make certificates`",
        )  # fmt: skip


def _check_people(place: Installation, found: Findings) -> None:
    """Look at the platform's own administrators, on whom all others depend."""
    review = place.ask_json("auth", "access-review")
    [platform] = [tenant for tenant in review if tenant["tenant"] == "default"]
    admins = [
        user for user in platform["users"]
        if user["role"] == "admin" and user["status"] == "active" and user["second_factors"]
    ]  # fmt: skip
    found.check(
        "administrators of the platform", len(admins) > 1, f"{len(admins)} with a second factor",
        "two or more: who loses a factor needs two others", else_="warn",
    )  # fmt: skip
    open_ones = sum(len(tenant["conflicts"]) for tenant in review)
    found.check(
        "access review", open_ones == 0, f"{open_ones} open conflicts",
        "`make access-review` names them", else_="warn",
    )  # fmt: skip
