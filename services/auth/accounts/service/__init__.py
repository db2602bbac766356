"""Accounts: one's own, asked for, verified, invited, and passwords forgotten."""

from services.auth.accounts.service.address import (
    ask_for_address,
    change_address,
    confirm_address,
)
from services.auth.accounts.service.ask import ask, register
from services.auth.accounts.service.deactivate import (
    deactivate_user,
    lock_user,
    reactivate_user,
)
from services.auth.accounts.service.errands import do_errands, list_errands_of
from services.auth.accounts.service.invite import approve, invite, withdraw_invitation
from services.auth.accounts.service.own import change_account, get_account
from services.auth.accounts.service.redeem import (
    accept_invitation,
    reset_password,
    verify_address,
)
from services.auth.accounts.service.reindex import reindex

__all__ = [
    "accept_invitation",
    "approve",
    "ask",
    "ask_for_address",
    "change_account",
    "change_address",
    "confirm_address",
    "deactivate_user",
    "do_errands",
    "get_account",
    "invite",
    "list_errands_of",
    "lock_user",
    "reactivate_user",
    "register",
    "reindex",
    "reset_password",
    "verify_address",
    "withdraw_invitation",
]
