"""Opening approvals, giving them, and what may be changed without one.

What else needs approval calls `gate`, which says how to add a kind.
"""

from services.inventory.approvals.service.closing import close_overtaken
from services.inventory.approvals.service.deciding import (
    Approved,
    Decision,
    Executor,
    apply_approved,
    approve,
    expire_due,
    forget_uses,
    list_due_tenants,
    reject,
    withdraw,
)
from services.inventory.approvals.service.gating import (
    Asked,
    Excess,
    Waiting,
    Weighing,
    gate,
    note_uses,
    open_approval,
    open_weighing,
)
from services.inventory.approvals.service.limits import get_limits, replace_limits
from services.inventory.approvals.service.reading import (
    get_approval,
    list_approvals,
    say_awaited,
    to_awaited,
    to_read,
)

__all__ = [
    "Approved",
    "Asked",
    "Decision",
    "Excess",
    "Executor",
    "Waiting",
    "Weighing",
    "apply_approved",
    "approve",
    "close_overtaken",
    "expire_due",
    "forget_uses",
    "gate",
    "get_approval",
    "get_limits",
    "list_approvals",
    "list_due_tenants",
    "note_uses",
    "open_approval",
    "open_weighing",
    "reject",
    "replace_limits",
    "say_awaited",
    "to_awaited",
    "to_read",
    "withdraw",
]
