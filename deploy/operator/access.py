"""`access-review`: who may do what, in every tenant, for whoever has to look at it each quarter."""

from typing import Any

from deploy.operator.place import Installation
from deploy.operator.report import DONE, FINDINGS, Report


def review_access(place: Installation) -> Report:
    """Return everybody's rights, value limits and conflicts; open conflicts are findings."""
    tenants = place.ask_json("auth", "access-review")
    limits = place.ask_json("inventory", "limits")
    for tenant in tenants:
        tenant["value_limits"] = limits.get(tenant["tenant_id"])
    open_ones = sum(len(tenant["conflicts"]) for tenant in tenants)
    lines = [line for tenant in tenants for line in _lines_of(tenant)]
    lines.append(f"{open_ones} open conflicts in {len(tenants)} tenants")
    return Report(lines, {"tenants": tenants}, FINDINGS if open_ones else DONE)


def _lines_of(tenant: dict[str, Any]) -> list[str]:
    lines = [f"{tenant['tenant']} ({tenant['tenant_id']})"]
    for user in tenant["users"]:
        factors = ", ".join(user["second_factors"]) or "no second factor"
        places = "all locations" if not user["locations"] else f"{len(user['locations'])} locations"
        lines.append(
            f"  {user['email'] or user['id']}: {user['role']}, {user['status']}, {factors}, "
            f"{places}; role by {user['role_given_by'] or 'unknown'}; last used "
            f"{str(user['last_used_at'] or 'never')[:16]}"
        )
        lines += [
            f"    key {key['name']}: {', '.join(key['scopes'])}; until {key['expires_at'][:10]}; "
            f"last used {str(key['last_used_at'] or 'never')[:16]}"
            for key in user["api_keys"]
        ]
    names = {user["id"]: user["email"] or user["id"] for user in tenant["users"]}
    for conflict in tenant["conflicts"]:
        lines.append(f"  OPEN  {conflict['kind']}: {names.get(conflict['user_id'], 'the tenant')}")
    for conflict in tenant["controlled"]:
        whom = names.get(conflict["user_id"], "the tenant")
        lines.append(f"  held  {conflict['kind']}: {whom}. {conflict['control']}")
    return lines
