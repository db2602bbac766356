"""Models as data: saved once, activated, archived, compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.forecasting.consumption.service import find_item_id
from services.forecasting.models import queries
from services.forecasting.models.errors import ModelNotFound
from services.forecasting.models.models import Model, StoredForecast
from services.forecasting.models.rules import AssumptionCode, Status, assumption_text
from services.forecasting.models.schemas import (
    AccuracyRead,
    AssumptionRead,
    ModelPage,
    ModelQuery,
    ModelRead,
    ModelSummary,
)
from shared import journal
from shared.contracts.forecasting.models import ModelActivated, ModelArchived, ModelTrained
from shared.ids import new_id
from shared.pagination import Keyset

NEWEST = Keyset("newest", UUID)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model was trained for."""

    job_id: UUID
    job_item_id: UUID
    item_id: UUID
    item_code: str


async def save_trained(
    session: AsyncSession, origin: Origin, result: Mapping[str, Any], *, now: datetime
) -> Model:
    """Save what `fit_series` returned as the item's newest version, and make it the active one."""
    await queries.lock_models_of(session, origin.item_id)
    await queries.archive_active(session, origin.item_id)
    version = await queries.next_version(session, origin.item_id)
    model = _model(origin, result, version=version, now=now)
    session.add(model)
    await session.flush()  # The forecast refers to the model, which no relationship tells the ORM.
    session.add(_forecast(model.id, result))
    journal.record(
        session,
        ModelTrained(
            model_id=model.id,
            item_id=model.item_id,
            code=model.item_code,
            version=model.version,
            model_type=model.model_type,
            mape=model.accuracy["mape"],
            beats_baseline=model.beats_baseline,
            job_id=origin.job_id,
        ),
    )
    return model


async def activate_model(session: AsyncSession, model_id: UUID) -> Model:
    """Let this version make the item's forecasts. Raises ModelNotFound."""
    model = await get_model(session, model_id)
    await queries.lock_models_of(session, model.item_id)
    await session.refresh(model)
    if model.status != Status.ACTIVE:
        await queries.archive_active(session, model.item_id)
        await queries.set_status(session, model_id, Status.ACTIVE)
        await session.refresh(model)
        journal.record(session, _changed(ModelActivated, model))
    return model


async def archive_model(session: AsyncSession, model_id: UUID) -> None:
    """Take a version out of use; it stays and can be activated again. Raises ModelNotFound."""
    model = await get_model(session, model_id)
    await queries.lock_models_of(session, model.item_id)
    await session.refresh(model)
    if model.status != Status.ARCHIVED:
        await queries.set_status(session, model_id, Status.ARCHIVED)
        journal.record(session, _changed(ModelArchived, model))


async def get_model(session: AsyncSession, model_id: UUID) -> Model:
    """Return the model. Raises ModelNotFound."""
    model = await queries.find_model(session, model_id)
    if model is None:
        raise ModelNotFound(model=str(model_id))
    return model


async def list_models(session: AsyncSession, query: ModelQuery) -> ModelPage:
    """Return one page of models, newest first. Raises InvalidCursor."""
    after, item_id = NEWEST.after(query.cursor), None
    if query.item_code is not None:
        item_id = await find_item_id(session, query.item_code)
        if item_id is None:
            return ModelPage(models=[], next_cursor=None)
    rows = await queries.list_models(
        session,
        item_id=item_id,
        status=query.status,
        before=after[0] if after else None,
        limit=query.limit + 1,
    )
    page, next_cursor = NEWEST.page(rows, query.limit, lambda model: (model.id,))
    return ModelPage(models=[to_summary(model) for model in page], next_cursor=next_cursor)


def to_summary(model: Model) -> ModelSummary:
    return ModelSummary(
        id=model.id,
        entity_id=model.item_code,
        model_type=model.model_type,
        version=model.version,
        status=Status(model.status),
        accuracy_metrics=AccuracyRead.model_validate(model.accuracy),
        beats_baseline=model.beats_baseline,
        train_from=model.train_from,
        train_to=model.train_to,
        created_at=model.created_at,
    )


def to_read(model: Model, language: str) -> ModelRead:
    return ModelRead(
        **dict(to_summary(model)),
        requested=model.requested,
        weights=model.weights,
        baseline=AccuracyRead.model_validate(model.baseline),
        demand_class=model.demand_class,
        usable_days=model.usable_days,
        backtest_origins=model.origins,
        backtest_horizon=model.backtest_horizon,
        candidates=model.candidates,
        failures=model.failures,
        assumptions=read_assumptions(model.assumptions, language),
        data_hash=model.data_hash,
        training_seconds=round(model.duration_s, 3),
    )


def read_assumptions(
    assumptions: Iterable[Mapping[str, Any]], language: str
) -> list[AssumptionRead]:
    """Return stored assumptions in words."""
    coded = [(AssumptionCode(each["code"]), each["figures"]) for each in assumptions]
    return [
        AssumptionRead(code=code, message=assumption_text(code, figures, language))
        for code, figures in coded
    ]


def _model(origin: Origin, result: Mapping[str, Any], *, version: int, now: datetime) -> Model:
    return Model(
        id=new_id(),
        item_id=origin.item_id,
        item_code=origin.item_code,
        version=version,
        status=Status.ACTIVE.value,
        model_type=result["model_type"],
        requested=result["requested"],
        weights=result["weights"],
        payload=result["model"],
        data_hash=result["data_hash"],
        train_from=date.fromisoformat(result["train_from"]),
        train_to=date.fromisoformat(result["train_to"]),
        usable_days=result["usable_days"],
        demand_class=result["demand_class"],
        origins=result["origins"],
        backtest_horizon=result["backtest_horizon"],
        accuracy=result["accuracy"],
        baseline=result["baseline"],
        beats_baseline=result["beats_baseline"],
        candidates=result["candidates"],
        failures=result["failures"],
        assumptions=result["assumptions"],
        duration_s=result["duration_s"],
        job_item_id=origin.job_item_id,
        created_at=now,
    )


def _forecast(model_id: UUID, result: Mapping[str, Any]) -> StoredForecast:
    points = result["points"]
    return StoredForecast(
        model_id=model_id,
        first_day=date.fromisoformat(points[0]["date"]),
        last_day=date.fromisoformat(points[-1]["date"]),
        points=points,
        sum_error_variance=result["sum_error_variance"],
    )


def _changed(
    kind: type[ModelActivated | ModelArchived], model: Model
) -> ModelActivated | ModelArchived:
    return kind(
        model_id=model.id, item_id=model.item_id, code=model.item_code, version=model.version
    )
