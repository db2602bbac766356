"""Secrets are held in one way, and a session's notes are known in one place."""

import ast
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.settings import ProcessSettings
from tests.support.tree import nodes, product_files, services, shown

SETTINGS = ["gateway.settings", *(f"services.{service.name}.settings" for service in services())]
SECRET_WORDS = {"key", "keys", "password", "secret", "previous"}
# May carry a password inside.
SECRET_ADDRESSES = {"database_url", "owner_database_url", "redis_url"}
# Limits of what is secret, not secrets.
PLAIN = {"password_min_length", "password_threads"}
# A session is given its stamp where it is opened; the journal knows the rest.
KNOW_A_SESSIONS_NOTES = {"shared/db/database.py", "shared/journal/record.py"}


@pytest.mark.parametrize("module", SETTINGS)
def test_every_secret_is_held_as_one(module):
    settings: type[ProcessSettings] = import_module(module).Settings

    plain = [
        name
        for name, field in settings.model_fields.items()
        if ((set(name.split("_")) & SECRET_WORDS and name not in PLAIN) or name in SECRET_ADDRESSES)
        # A path says where a secret lies.
        and field.annotation not in {SecretStr, SecretStr | None, Path | None}
    ]

    assert plain == []


def test_notes_of_a_session_are_written_and_read_by_the_journal_alone():
    found = {
        shown(path)
        for path in product_files()
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr == "info"
        and isinstance(node.value, ast.Name) and node.value.id.endswith("session")
    }  # fmt: skip

    assert found - KNOW_A_SESSIONS_NOTES == set()
