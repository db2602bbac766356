"""Accounts and roles as a directory keeps them (SCIM 2.0)."""

from services.auth.scim.service.groups import (
    change_group,
    get_group,
    list_groups,
    replace_group,
)
from services.auth.scim.service.profile import open_profile
from services.auth.scim.service.reindex import reindex
from services.auth.scim.service.save import add_user, change_user, remove_user, replace_user
from services.auth.scim.service.users import get_user, list_users

__all__ = [
    "add_user",
    "change_group",
    "change_user",
    "get_group",
    "get_user",
    "list_groups",
    "list_users",
    "open_profile",
    "reindex",
    "remove_user",
    "replace_group",
    "replace_user",
]
