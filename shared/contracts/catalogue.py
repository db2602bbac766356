"""All journal entries that services promise, found by their modules."""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

import shared.contracts
from shared.journal import Entry


@cache
def entries() -> Mapping[str, type[Entry]]:
    """Return the class of every journal entry by its name, such as `inventory.item-saved.v1`."""
    modules = pkgutil.walk_packages(shared.contracts.__path__, "shared.contracts.")
    found = [value for m in modules for value in vars(import_module(m.name)).values()]
    return {
        value.name: value
        for value in found
        if isinstance(value, type) and issubclass(value, Entry) and hasattr(value, "name")
    }
