"""Who may import whom: import-linter's contracts, and what they cannot say."""

import subprocess
import tomllib

import pytest

from tests.support.tree import ROOT, modules_imported, services, shown

LAYERS = ("routes", "service", "queries", "schemas", "models", "metrics", "errors", "rules")
# Packages of a service that are no features, and why.
NO_FEATURES = {
    "services/forecasting/methods",  # The forecasting methods, one a file.
    "services/forecasting/fitting",  # Running them: one fit, and the processes that run many.
}
# What is a feature's own affair: how it is reached and how it is stored.
PRIVATE_LAYERS = {"routes", "queries"}


def features() -> list[str]:
    """The packages in which a feature's layers lie, as `services.inventory.items`."""
    return [
        f"services.{service.name}.{package.parent.name}"
        for service in services()
        for package in sorted(service.glob("*/__init__.py"))
        if shown(package.parent) not in NO_FEATURES
    ]


def test_the_contracts_hold():
    done = subprocess.run(  # noqa: S603 - our own check, without arguments from elsewhere.
        [ROOT / ".venv/bin/lint-imports", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[done.stdout.find("Broken contracts") :] + done.stderr


def test_the_contract_of_the_layers_covers_every_feature():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = [c for c in settings["contracts"] if "containers" in c]
    covered = contract["containers"]

    missing = [
        feature
        for feature in features()
        if feature not in covered and f"{feature.rpartition('.')[0]}.*" not in covered
    ]

    assert missing == []
    assert contract["exhaustive"]
    assert [layer.strip("()") for layer in contract["layers"]] == list(LAYERS)


@pytest.mark.parametrize("feature", features())
def test_a_feature_uses_another_through_its_service(feature):
    folder = ROOT / feature.replace(".", "/")
    others = [other for other in features() if other != feature]
    wrong = {
        f"{shown(path)} -> {name}"
        for path in folder.rglob("*.py")
        for name in modules_imported(path)
        for other in others
        if name.startswith(f"{other}.")
        and name.removeprefix(f"{other}.").split(".")[0] in PRIVATE_LAYERS
    }

    assert wrong == set()
