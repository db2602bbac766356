"""Models as data: saved once, activated, archived, compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.forecasting.errors import ModelNotFound
from services.forecasting.models import queries
from services.forecasting.models.models import Model, StoredForecast
from services.forecasting.models.rules import AssumptionCode, Status, assumption_text
from services.forecasting.models.schemas import (
    AccuracyRead,
    AssumptionRead,
    ModelPage,
    ModelRead,
    ModelSummary,
)
from shared import journal
from shared.contracts.forecasting.models import ModelActivated, ModelArchived, ModelTrained
from shared.ids import new_id
from shared.pagination import InvalidCursor, decode_cursor, encode_cursor

_NEWEST = "newest"


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
    points = result["points"]
    model = Model(
        id=new_id(),
        item_id=origin.item_id,
        item_code=origin.item_code,
        version=await queries.next_version(session, origin.item_id),
        status=Status.ACTIVE.value,
        payload=result["model"],
        train_from=date.fromisoformat(result["train_from"]),
        train_to=date.fromisoformat(result["train_to"]),
        job_item_id=origin.job_item_id,
        created_at=now,
        **{name: result[name] for name in _AS_GIVEN},
    )
    session.add(model)
    await session.flush()  # The forecast refers to the model, which no relationship tells the ORM.
    session.add(
        StoredForecast(
            model_id=model.id,
            first_day=date.fromisoformat(points[0]["date"]),
            last_day=date.fromisoformat(points[-1]["date"]),
            points=points,
            sum_error_variance=result["sum_error_variance"],
        )
    )
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


async def activate(session: AsyncSession, model_id: UUID) -> Model:
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


async def archive(session: AsyncSession, model_id: UUID) -> None:
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


async def list_models(
    session: AsyncSession,
    *,
    item_code: str | None,
    status: Status | None,
    cursor: str | None,
    limit: int,
) -> ModelPage:
    """Return one page of models, newest first. Raises InvalidCursor."""
    rows = await queries.list_models(
        session,
        item_code=item_code,
        status=status,
        before=before_id(cursor),
        limit=limit + 1,
    )
    page = rows[:limit]
    return ModelPage(
        models=[summary(model) for model in page],
        next_cursor=cursor_before(page[-1].id) if len(rows) > limit else None,
    )


def before_id(cursor: str | None) -> UUID | None:
    """Return the id that a page of newest rows ends before. Raises InvalidCursor."""
    after = decode_cursor(cursor, _NEWEST, 1)
    try:
        return UUID(after[0]) if after else None
    except ValueError as error:
        raise InvalidCursor from error


def cursor_before(row_id: UUID) -> str:
    return encode_cursor(_NEWEST, [row_id])


def summary(model: Model) -> ModelSummary:
    return ModelSummary(**_shown(model))


def read(model: Model, language: str) -> ModelRead:
    return ModelRead(
        **_shown(model),
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


def _shown(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "entity_id": model.item_code,
        "model_type": model.model_type,
        "version": model.version,
        "status": model.status,
        "accuracy_metrics": AccuracyRead.model_validate(model.accuracy),
        "beats_baseline": model.beats_baseline,
        "train_from": model.train_from,
        "train_to": model.train_to,
        "created_at": model.created_at,
    }


def _changed(
    kind: type[ModelActivated | ModelArchived], model: Model
) -> ModelActivated | ModelArchived:
    return kind(
        model_id=model.id, item_id=model.item_id, code=model.item_code, version=model.version
    )


_AS_GIVEN = ("model_type", "requested", "weights", "data_hash", "usable_days", "demand_class",
             "origins", "backtest_horizon", "accuracy", "baseline", "beats_baseline", "candidates",
             "failures", "assumptions", "duration_s")  # fmt: skip
