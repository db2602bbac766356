"""The drill: a restore in a folder of its own, checked as a real one, timed, and thrown away."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from deploy.backups.outcome import RestoreOutcome
from deploy.backups.recovery import write_evidence
from deploy.backups.restore import RestorePlan, new_outcome, restore_into
from deploy.backups.rules import NAME_FORMAT
from deploy.local.private import private_folder
from deploy.local.processes import Plan
from shared.clock import utc_now
from shared.sealed_files.keys import Keyring


async def drill(
    plan: RestorePlan,
    keyring: Keyring,
    scratch: Path,
    local: Plan | None,
    say: Callable[[str], None],
) -> RestoreOutcome:
    """Rehearse a restore and keep what it came to, well or not. Raises BackupError."""
    outcome = new_outcome("drill", plan)
    folder = private_folder(scratch) / f"drill-{uuid4().hex[:8]}"
    target = folder / "postgres"
    try:
        await restore_into(plan, keyring, target, local, outcome, say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        keep_evidence(plan, outcome)
    return outcome


def keep_evidence(plan: RestorePlan, outcome: RestoreOutcome) -> Path:
    """Write the evidence of a restore or drill into the repository; return where it lies."""
    name = f"{utc_now().strftime(NAME_FORMAT)}-{outcome.kind}.json"
    content = json.dumps(asdict(outcome), indent=1, ensure_ascii=False).encode() + b"\n"
    return write_evidence(plan.repository.evidence, name, content)
