"""What training refuses, and why."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, NotFound, Unprocessable
from shared.i18n import N_, NP_


@dataclass(eq=False)
class NothingToTrain(Unprocessable):
    """`top` was asked for, but nothing was issued in the training days."""

    slug: ClassVar[str] = "nothing-to-train"
    title: ClassVar[str] = N_("Nothing to train")
    detail: ClassVar[tuple[str, str]] = NP_(
        "No item was issued in the last {training_days} day. Record issues first, or ask for "
        "more days.",
        "No item was issued in the last {training_days} days. Record issues first, or ask "
        "for more days.",
    )
    counted: ClassVar[str] = "training_days"
    training_days: int


@dataclass(eq=False)
class TrainingDisabled(Conflict):
    slug: ClassVar[str] = "training-disabled"
    title: ClassVar[str] = N_("Training is switched off")
    detail: ClassVar[str] = N_(
        "Training is switched off on this installation. Ask the operator to switch it on."
    )


@dataclass(eq=False)
class JobNotFound(NotFound):
    slug: ClassVar[str] = "job-not-found"
    title: ClassVar[str] = N_("Job not found")
    detail: ClassVar[str] = N_("There is no job {job}. See /api/ai/jobs for those there are.")
    job: str


@dataclass(eq=False)
class JobAlreadyFinished(Conflict):
    slug: ClassVar[str] = "job-finished"
    title: ClassVar[str] = N_("Job already finished")
    detail: ClassVar[str] = N_(
        "The job is finished and cannot be cancelled any more. Archive the models that it "
        "made, if they are not wanted."
    )
