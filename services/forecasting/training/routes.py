from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.forecasting.consumption.errors import ItemNotFound
from services.forecasting.requests import OwnSettings
from services.forecasting.training import service
from services.forecasting.training.errors import (
    JobAlreadyFinished,
    JobNotFound,
    NothingToTrain,
    TrainingDisabled,
)
from services.forecasting.training.schemas import JobPage, JobRead, TrainingCreate
from shared.pagination import InvalidCursor, PageQuery
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires

router = feature_router("/api/ai", "training")

CanRead = Annotated[Principal, Depends(requires("forecast:read"))]
CanTrain = Annotated[Principal, Depends(requires("forecast:train"))]


@router.post(
    "/forecast/train",
    status_code=202,
    responses=problems(ItemNotFound, NothingToTrain, TrainingDisabled),
)
async def request_training(
    body: TrainingCreate,
    session: Session,
    _caller: CanTrain,
    settings: OwnSettings,
    now: Now,
    language: Language,
) -> JobRead:
    """Train forecasting models.

    Of one item, of several, or of those issued most. Workers train them: follow the job that is
    the answer.
    """
    if not settings.ai_training_enabled:
        raise TrainingDisabled
    default = settings.ai_default_model_type
    return await service.request_training(session, body, default, now=now, language=language)


@router.get("/jobs", responses=problems(InvalidCursor))
async def list_jobs(
    session: Session, _caller: CanRead, query: Annotated[PageQuery, Query()]
) -> JobPage:
    """List jobs.

    Newest first.
    """
    return await service.list_jobs(session, query)


@router.get("/jobs/{job_id}", responses=problems(JobNotFound))
async def get_job(job_id: UUID, session: Session, _caller: CanRead, language: Language) -> JobRead:
    """Read a job.

    How far it got, and what became of each item.
    """
    return await service.get_job(session, job_id, language)


@router.delete(
    "/jobs/{job_id}", status_code=204, responses=problems(JobNotFound, JobAlreadyFinished)
)
async def cancel_job(job_id: UUID, session: Session, _caller: CanTrain, now: Now) -> None:
    """Cancel a job.

    What is not finished is dropped; models already trained stay.
    """
    await service.cancel_job(session, job_id, now=now)
