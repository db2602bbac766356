"""What is refused about webhooks, and why."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, NotFound, Unprocessable
from shared.i18n import N_, NP_


@dataclass(eq=False)
class WebhookNotFound(NotFound):
    """No webhook has this id. List the webhooks."""

    slug: ClassVar[str] = "webhook-not-found"
    title: ClassVar[str] = N_("Webhook not found")
    detail: ClassVar[str] = N_("There is no such webhook. List the webhooks to find its id.")


@dataclass(eq=False)
class WebhookMessageNotFound(NotFound):
    """The webhook has no message with this id, or it is too old. List its deliveries."""

    slug: ClassVar[str] = "webhook-message-not-found"
    title: ClassVar[str] = N_("Message not found")
    detail: ClassVar[str] = N_(
        "The webhook has no message with this id any more. List its deliveries."
    )


@dataclass(eq=False)
class WebhookUrlRefused(Unprocessable):
    """Messages may not be sent to this address. Give a public https address."""

    slug: ClassVar[str] = "webhook-url-refused"
    title: ClassVar[str] = N_("Address not allowed")
    detail: ClassVar[str] = N_(
        "Messages cannot be sent to this address. Give an address that begins with https:// and "
        "is reached from the internet, without user, password and #."
    )


@dataclass(eq=False)
class WebhookInactive(Conflict):
    """Nothing is sent to a webhook that is switched off. Set `active` to true first."""

    slug: ClassVar[str] = "webhook-inactive"
    title: ClassVar[str] = N_("Webhook is switched off")
    detail: ClassVar[str] = N_("Nothing is sent to this webhook. Set active to true first.")


@dataclass(eq=False)
class TooManyWebhooks(Conflict):
    """The tenant has as many webhooks as there may be. Remove one first."""

    slug: ClassVar[str] = "too-many-webhooks"
    title: ClassVar[str] = N_("Too many webhooks")
    detail: ClassVar[tuple[str, str]] = NP_(
        "There may be {limit} webhook. Remove it first.",
        "There may be {limit} webhooks. Remove one first.",
    )
    counted: ClassVar[str] = "limit"
    limit: int
