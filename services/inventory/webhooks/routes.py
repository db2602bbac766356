from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.inventory.requests import Outgoing, SecretSealer
from services.inventory.webhooks import service
from services.inventory.webhooks.errors import (
    TooManyWebhooks,
    WebhookInactive,
    WebhookMessageNotFound,
    WebhookNotFound,
    WebhookUrlRefused,
)
from services.inventory.webhooks.schemas import (
    DeliveryPage,
    DeliveryQuery,
    DeliveryRead,
    EventTypesRead,
    ReplayRead,
    SecretRotation,
    WebhookCreate,
    WebhookPage,
    WebhookQuery,
    WebhookRead,
    WebhookReplay,
    WebhookSecretRead,
    WebhookUpdate,
)
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.etag import IfMatch
from shared.web.route import SmallRoute

router = feature_router("/api/webhooks", "webhooks", route_class=SmallRoute)

CanRead = Annotated[Principal, Depends(requires("ops:read"))]
CanOperateNow = Annotated[Principal, Depends(requires("ops:write", fresh=True))]


@router.get("", responses=problems(InvalidCursor))
async def list_webhooks(
    session: Session, _caller: CanRead, query: Annotated[WebhookQuery, Query()]
) -> WebhookPage:
    """List webhooks.

    The oldest first, without their secrets.
    """
    return await service.list_webhooks(session, query)


@router.post("", status_code=201, responses=problems(WebhookUrlRefused, TooManyWebhooks))
async def add_webhook(
    body: WebhookCreate,
    response: Response,
    session: Session,
    outgoing: Outgoing,
    sealer: SecretSealer,
    caller: CanOperateNow,
    now: Now,
) -> WebhookSecretRead:
    """Add a webhook.

    It is told of what happens from now on. The secret, by which it knows that a message is from us
    (Standard Webhooks), is shown this once.
    """
    response.headers["Cache-Control"] = "no-store"
    return await service.add_webhook(
        session, body, outgoing=outgoing, sealer=sealer, caller=caller, now=now
    )


@router.get("/event-types")
async def list_event_types(_caller: CanRead) -> EventTypesRead:
    """List the types of events.

    With the fields of each one's `data`.
    """
    return service.list_event_types()


@router.get("/{webhook_id:uuid}", responses=problems(WebhookNotFound))
async def get_webhook(webhook_id: UUID, session: Session, _caller: CanRead) -> WebhookRead:
    """Read a webhook."""
    return service.to_read(await service.get_webhook(session, webhook_id))


@router.patch("/{webhook_id:uuid}", responses=problems(WebhookNotFound, WebhookUrlRefused))
async def change_webhook(
    webhook_id: UUID,
    body: WebhookUpdate,
    session: Session,
    outgoing: Outgoing,
    caller: CanOperateNow,
    now: Now,
    if_match: IfMatch = None,
) -> WebhookRead:
    """Change a webhook.

    Its address, what it is told of, or whether anything is sent at all.
    """
    webhook = await service.change_webhook(
        session, webhook_id, body, if_match, outgoing=outgoing, caller=caller, now=now
    )
    return service.to_read(webhook)


@router.delete("/{webhook_id:uuid}", status_code=204, responses=problems(WebhookNotFound))
async def remove_webhook(
    webhook_id: UUID, session: Session, _caller: CanOperateNow, if_match: IfMatch = None
) -> None:
    """Remove a webhook.

    With what still waits for it and what is known of its deliveries.
    """
    await service.remove_webhook(session, webhook_id, if_match)


@router.post("/{webhook_id:uuid}/rotate-secret", responses=problems(WebhookNotFound))
async def rotate_webhook_secret(
    webhook_id: UUID,
    body: SecretRotation,
    response: Response,
    session: Session,
    sealer: SecretSealer,
    caller: CanOperateNow,
    now: Now,
) -> WebhookSecretRead:
    """Give a webhook a new secret.

    It is shown this once. For as long as the overlap each message carries a signature by either.
    """
    response.headers["Cache-Control"] = "no-store"
    return await service.rotate_secret(
        session, webhook_id, body, sealer=sealer, caller=caller, now=now
    )


@router.post(
    "/{webhook_id:uuid}/ping",
    status_code=202,
    responses=problems(WebhookNotFound, WebhookInactive),
)
async def ping_webhook(
    webhook_id: UUID, session: Session, _caller: CanOperateNow, now: Now
) -> DeliveryRead:
    """Send a webhook a message to try it.

    Of type `webhook.ping`, with empty `data`. What became of it stands in the deliveries.
    """
    return await service.ping(session, webhook_id, now=now)


@router.post(
    "/{webhook_id:uuid}/replay",
    status_code=202,
    responses=problems(WebhookNotFound, WebhookInactive),
)
async def replay_webhook(
    webhook_id: UUID, body: WebhookReplay, session: Session, _caller: CanOperateNow, now: Now
) -> ReplayRead:
    """Send a webhook its events again.

    From a number on, with the ids that they had; also those of the time when it was switched off.
    Events are kept for 30 days.
    """
    return await service.replay(session, webhook_id, body, now=now)


@router.get("/{webhook_id:uuid}/deliveries", responses=problems(WebhookNotFound, InvalidCursor))
async def list_webhook_deliveries(
    webhook_id: UUID,
    session: Session,
    _caller: CanRead,
    query: Annotated[DeliveryQuery, Query()],
) -> DeliveryPage:
    """List the deliveries of a webhook.

    The newest event first. `state=dead` gives those that were given up, after about a day.
    """
    return await service.list_deliveries(session, webhook_id, query)


@router.post(
    "/{webhook_id:uuid}/deliveries/{event_id:uuid}/resend",
    status_code=202,
    responses=problems(WebhookNotFound, WebhookInactive, WebhookMessageNotFound),
)
async def resend_webhook_delivery(
    webhook_id: UUID, event_id: UUID, session: Session, _caller: CanOperateNow, now: Now
) -> DeliveryRead:
    """Send a webhook one event again.

    Whether it was given up or delivered; `webhook-id` stays.
    """
    return await service.resend(session, webhook_id, event_id, now=now)
