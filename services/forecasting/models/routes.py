from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.forecasting.models import service
from services.forecasting.models.errors import ModelNotFound
from services.forecasting.models.schemas import ModelPage, ModelQuery, ModelRead
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Language, Session, feature_router, problems, requires

router = feature_router("/api/ai/models", "models")

CanRead = Annotated[Principal, Depends(requires("forecast:read"))]
CanTrain = Annotated[Principal, Depends(requires("forecast:train"))]


@router.get("/list", responses=problems(InvalidCursor))
async def list_models(
    session: Session, _caller: CanRead, query: Annotated[ModelQuery, Query()]
) -> ModelPage:
    """List models.

    Newest first.
    """
    return await service.list_models(session, query)


@router.get("/{model_id}", responses=problems(ModelNotFound))
async def get_model(
    model_id: UUID, session: Session, _caller: CanRead, language: Language
) -> ModelRead:
    """Read a model.

    With how it came about.
    """
    return service.to_read(await service.get_model(session, model_id), language)


@router.delete("/{model_id}", status_code=204, responses=problems(ModelNotFound))
async def archive_model(model_id: UUID, session: Session, _caller: CanTrain) -> None:
    """Archive a model.

    It is out of use until it is activated again.
    """
    await service.archive_model(session, model_id)


@router.post("/{model_id}/activate", responses=problems(ModelNotFound))
async def activate_model(
    model_id: UUID, session: Session, _caller: CanTrain, language: Language
) -> ModelRead:
    """Activate a model.

    It makes the forecasts of its item from now on, in place of the one active so far.
    """
    return service.to_read(await service.activate_model(session, model_id), language)
