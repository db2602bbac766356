"""What a command of the operator's comes to: something for people, something for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

Grade: TypeAlias = Literal["ok", "warn", "fail"]

DONE, FAILED, FINDINGS = 0, 1, 3  # The exit codes; 2 is argparse's, for what it cannot read.


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, how it is, and what to do about it."""

    what: str
    grade: Grade
    said: str
    do: str = ""

    def line(self) -> str:
        """Return it in one line."""
        advice = f" -> {self.do}" if self.do and self.grade != "ok" else ""
        return f"{self.grade:<4}  {self.what}: {self.said}{advice}"


@dataclass(frozen=True)
class Report:
    """What is answered."""

    lines: Sequence[str]
    content: Any
    exit_code: int = DONE


@dataclass
class Findings:
    """What was looked at, one after the other."""

    found: list[Finding] = field(default_factory=list)

    def add(self, what: str, grade: Grade, said: str, do: str = "") -> None:
        """Note one."""
        self.found.append(Finding(what, grade, said, do))

    def check(self, what: str, is_well: bool, said: str, do: str, *, else_: Grade = "fail") -> None:  # noqa: FBT001 - the answer to `what`.
        """Note that something is well or what else."""
        self.add(what, "ok" if is_well else else_, said, do)

    def report(self) -> Report:
        """Return all of it; any failure is a finding."""
        is_bad = any(each.grade == "fail" for each in self.found)
        counted = {grade: self._count(grade) for grade in ("ok", "warn", "fail")}
        total = ", ".join(f"{number} {grade}" for grade, number in counted.items())
        return Report(
            [*(each.line() for each in self.found), total],
            {"ok": not is_bad, "counted": counted, "checks": [asdict(one) for one in self.found]},
            FINDINGS if is_bad else DONE,
        )

    def _count(self, grade: str) -> int:
        return sum(each.grade == grade for each in self.found)
