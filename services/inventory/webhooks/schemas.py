from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from services.inventory.webhooks.rules import EVENTS, State
from shared.i18n import N_
from shared.pagination import PageQuery
from shared.schemas import Input, Output, Page, ShortText, Update

URL_LENGTH_MAX = 2000
_EVENT_TYPES_MAX = 200
_OVERLAP_HOURS_MAX = 168


def _known(value: str) -> str:
    if value not in EVENTS:
        raise PydanticCustomError(
            "unknown_event_type",
            N_("There is no such type of event. GET /api/webhooks/event-types lists all."),
        )
    return value


def _each_once(value: list[str]) -> list[str]:
    return sorted(set(value))


EventTypes = Annotated[
    list[Annotated[str, Field(max_length=100), AfterValidator(_known)]],
    Field(
        min_length=1,
        max_length=_EVENT_TYPES_MAX,
        description="Null: all, also those that are added later.",
        examples=[["inventory.stock-moved.v1"]],
    ),
    AfterValidator(_each_once),
]
Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=URL_LENGTH_MAX,
        description="Public, and https.",
        examples=["https://hooks.example.com/stock"],
    ),
]


class WebhookCreate(Input):
    """A new webhook."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "url": "https://hooks.example.com/stock",
                    "event_types": ["inventory.stock-moved.v1"],
                }
            ]
        }
    )

    url: Url
    event_types: EventTypes | None = None
    description: ShortText | None = Field(default=None, examples=["Shop front"])


class WebhookUpdate(Update):
    """A change of a webhook: the fields given are set, the others stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"active": True}]})

    clearable: ClassVar[frozenset[str]] = frozenset({"event_types", "description"})

    url: Url | None = None
    event_types: EventTypes | None = None
    description: ShortText | None = Field(default=None, examples=["Shop front"])
    active: bool | None = Field(
        default=None,
        description="True lets messages go on that still wait; those of the time between are "
        "fetched with a replay. Who switches it on owns it from then on.",
    )


class SecretRotation(Input):
    """How long the secret before signs beside the new one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_hours": 24}]})

    overlap_hours: int = Field(default=24, ge=0, le=_OVERLAP_HOURS_MAX)


class WebhookReplay(Input):
    """From where on a webhook gets its events again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"from_sequence": 1042}]})

    from_sequence: int = Field(ge=1, le=2**62)


class WebhookRead(Output):
    """An address that is told of events."""

    id: UUID
    url: str = Field(examples=["https://hooks.example.com/stock"])
    description: str | None = Field(examples=["Shop front"])
    event_types: list[str] | None = Field(examples=[["inventory.stock-moved.v1"]])
    active: bool
    disabled_reason: str | None = Field(
        description="Why it was switched off by itself: `failing`, for days, or `gone` (410); "
        "`owner_left`, or the owner's `owner_role` does not allow it any more, or he is limited to "
        "some locations (`owner_limited`).",
        examples=[None],
    )
    failing_since: datetime | None = Field(
        description="The first failure after the last success.", examples=[None]
    )
    owner_id: UUID = Field(description="The user who added it, or last switched it on again.")
    previous_until: datetime | None = Field(
        description="So long the secret before signs too.", examples=[None]
    )
    version: int
    created_at: datetime
    updated_at: datetime


class WebhookSecretRead(WebhookRead):
    """A webhook with its new secret."""

    secret: str = Field(
        description="Verifies the signatures. Shown this once.", examples=["whsec_MfKQ9r8…"]
    )


class WebhookQuery(PageQuery):
    """Which page of the webhooks to list."""


class WebhookPage(Page[WebhookRead]): ...


class DeliveryQuery(PageQuery):
    """Which page of the deliveries to list."""

    state: State | None = Field(default=None, description="`dead` ones were given up.")


class DeliveryRead(Output):
    """One event on its way to one webhook."""

    event_id: UUID = Field(description="The header `webhook-id`; in the audit trail the entry.")
    sequence: int = Field(examples=[1042])
    event_type: str = Field(examples=["inventory.stock-moved.v1"])
    happened_at: datetime
    state: State
    attempts: int
    next_attempt_at: datetime | None
    finished_at: datetime | None
    status: int | None = Field(description="Of the last answer.", examples=[503])
    answer: str | None = Field(description="How it began.", examples=["Too busy"])
    error: str | None = Field(
        description="Why there was none: `timeout`, `unreachable`, `address_refused` where the "
        "name leads into a private network, `secret_unreadable` where the key to it is gone.",
        examples=[None],
    )


class DeliveryPage(Page[DeliveryRead]): ...


class ReplayRead(Output):
    """What is sent again."""

    queued: int = Field(description="Events, at most 10,000.", examples=[12])
    next_sequence: int | None = Field(
        description="Where to go on if there are more.", examples=[None]
    )


class EventTypeRead(Output):
    """A type of event, and the fields of its `data`."""

    type: str = Field(examples=["inventory.item-saved.v1"])
    fields: list[str] = Field(examples=[["item_id", "code"]])


class EventTypesRead(Output):
    """All types of events."""

    items: list[EventTypeRead]
