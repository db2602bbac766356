"""Webhooks: who is told of what, what is told, and sending it."""

from services.inventory.webhooks.service.collecting import collect
from services.inventory.webhooks.service.messages import (
    list_deliveries,
    ping,
    replay,
    resend,
)
from services.inventory.webhooks.service.owners import FOLLOWED, disable_of_lost_owners
from services.inventory.webhooks.service.sending import (
    Message,
    count_waiting,
    finish,
    forget_old,
    list_due,
    measure,
    take_next,
)
from services.inventory.webhooks.service.subscribing import (
    SEALED_COLUMNS,
    add_webhook,
    change_webhook,
    get_webhook,
    list_event_types,
    list_webhooks,
    remove_webhook,
    rotate_secret,
    to_read,
)

__all__ = [
    "FOLLOWED",
    "SEALED_COLUMNS",
    "Message",
    "add_webhook",
    "change_webhook",
    "collect",
    "count_waiting",
    "disable_of_lost_owners",
    "finish",
    "forget_old",
    "get_webhook",
    "list_deliveries",
    "list_due",
    "list_event_types",
    "list_webhooks",
    "measure",
    "ping",
    "remove_webhook",
    "replay",
    "resend",
    "rotate_secret",
    "take_next",
    "to_read",
]
