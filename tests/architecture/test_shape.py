"""The one shape: who knows one service knows them all."""

from importlib import import_module
from unittest.mock import MagicMock

import pytest
from fastapi import FastAPI

from shared.settings import ServiceSettings
from tests.support.tree import ROOT, services, shown

README_LINES_MAX = 60
README_SAYS = ("Owns", "Journals", "Follows", "Calls", "Tables")
FOLDERS = {"migrations", "locales"}

each_service = pytest.mark.parametrize("service", services(), ids=lambda service: service.name)


@each_service
def test_a_service_has_the_files_of_every_service(service):
    wanted = {"README.md", "__init__.py", "__main__.py", "app.py", "settings.py", "jobs.py",
              "resources.py"}  # fmt: skip

    assert wanted - {path.name for path in service.iterdir()} == set()
    assert (service / "migrations" / "0001_foundation.py").exists()


@each_service
def test_a_service_starts_as_every_other(service):
    expected = f'from shared.cli import main\n\nmain("services.{service.name}")\n'

    assert (service / "__main__.py").read_text() == expected


@each_service
def test_app_settings_and_jobs_have_the_same_names_everywhere(service):
    package = f"services.{service.name}"
    app = import_module(f"{package}.app")

    assert issubclass(import_module(f"{package}.settings").Settings, ServiceSettings)
    assert callable(import_module(f"{package}.jobs").work)
    assert callable(import_module(f"{package}.resources").open_service)
    assert isinstance(app.create_app(None), FastAPI)


@each_service
def test_who_follows_names_its_followers(service):
    if not (service / "followers.py").exists():
        pytest.skip("follows nobody")
    found = import_module(f"services.{service.name}.followers").followers(MagicMock())

    assert found
    for follower in found:
        assert (ROOT / "services" / follower.producer).is_dir()
        # A service may copy its own journal into the audit trail, but not live by it.
        assert follower.producer != service.name or follower.apply is None
        assert callable(follower.apply or follower.copy)


@each_service
def test_the_readme_is_one_screen_and_says_what_a_reader_asks(service):
    text = (service / "README.md").read_text()

    assert len(text.splitlines()) <= README_LINES_MAX
    assert [word for word in README_SAYS if word.lower() not in text.lower()] == []


@each_service
def test_a_feature_with_tables_or_rules_has_routes_or_a_service(service):
    for package in service.glob("*/__init__.py"):
        names = {path.stem for path in package.parent.iterdir()}
        if {"models", "queries"} & names:
            assert {"routes", "service"} & names, shown(package.parent)


@each_service
def test_no_folder_is_empty_and_none_lacks_its_package(service):
    for folder in service.iterdir():
        if not folder.is_dir() or folder.name in FOLDERS | {"__pycache__"}:
            continue
        files = {path.name for path in folder.iterdir() if path.name != "__pycache__"}
        assert "__init__.py" in files, shown(folder)
        assert files != {"__init__.py"}, f"{shown(folder)} holds nothing"


@each_service
def test_the_order_of_migrations_is_that_of_their_numbers(service):
    names = sorted(path.stem for path in (service / "migrations").glob("[0-9]*.py"))

    assert [name[:4] for name in names] == [f"{n:04}" for n in range(1, len(names) + 1)]
    for number, name in enumerate(names, start=1):
        text = (service / "migrations" / f"{name}.py").read_text()
        before = "None" if number == 1 else f'"{number - 1:04}"'
        assert f'revision = "{number:04}"\ndown_revision = {before}\n' in text, name
