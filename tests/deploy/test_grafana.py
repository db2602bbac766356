"""The dashboards are those of the code, complete, and such as Grafana takes."""

import json
import re
from itertools import combinations

import pytest
import yaml

from deploy.grafana.__main__ import FOLDER, PICTURES
from deploy.grafana.building import as_json
from deploy.grafana.listing import BOARDS
from deploy.grafana.units import shown
from deploy.local.settings import ROOT

# What Grafana documents for these files, as far as a file may name it without clicking on.
SOURCE_KEYS = {
    "name", "type", "access", "orgId", "uid", "url", "user", "database", "basicAuth",
    "basicAuthUser", "withCredentials", "isDefault", "jsonData", "secureJsonData", "version",
    "editable",
}  # fmt: skip
PROVIDER_KEYS = {
    "name", "orgId", "folder", "folderUid", "type", "disableDeletion", "updateIntervalSeconds",
    "allowUiUpdates", "options",
}  # fmt: skip
PAGE = (ROOT / "docs" / "operations.md").read_text()
LATER = {"ai_anomalies_detected_total"}  # What joins later: the search for anomalies.
LIBRARYS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
FILES = {board.uid: json.loads(as_json(board)) for board in BOARDS}
each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)


@each_board
def test_the_file_is_what_the_code_makes(board):
    """`python -m deploy.grafana` writes it anew."""
    assert (FOLDER / f"{board.uid}.json").read_text() == as_json(board)


def test_no_other_file_is_provisioned():
    assert {file.stem for file in FOLDER.iterdir()} == set(FILES)


def provisioned(kind):
    """Return the only file of this kind, and what it lists under that name."""
    [file] = (FOLDER.parent / "provisioning" / kind).iterdir()
    return yaml.safe_load(file.read_text())


def test_the_data_source_is_the_one_that_dashboards_ask():
    told = provisioned("datasources")
    [source] = told["datasources"]

    assert set(told) == {"apiVersion", "datasources"}
    assert told["apiVersion"] == 1
    assert set(source) <= SOURCE_KEYS
    assert (source["type"], source["access"], source["uid"]) == (
        "prometheus",
        "proxy",
        "prometheus",
    )
    assert source["isDefault"] is True
    assert source["editable"] is False
    read = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    assert source["jsonData"]["timeInterval"] == read["global"]["scrape_interval"]


def test_dashboards_are_read_from_files_and_stay_as_they_are():
    told = provisioned("dashboards")
    [provider] = told["providers"]

    assert set(told) == {"apiVersion", "providers"}
    assert told["apiVersion"] == 1
    assert set(provider) <= PROVIDER_KEYS
    assert provider["type"] == "file"
    assert provider["disableDeletion"] is True
    assert provider["allowUiUpdates"] is False
    assert set(provider["options"]) == {"path"}


def test_ids_and_titles_are_unique():
    """A second one of either keeps Grafana from provisioning both."""
    assert len({made["uid"] for made in FILES.values()}) == len(FILES)
    assert len({made["title"] for made in FILES.values()}) == len(FILES)
    for made in FILES.values():
        assert len({panel["id"] for panel in made["panels"]}) == len(made["panels"])
        assert len({panel["title"] for panel in made["panels"]}) == len(made["panels"])


@each_board
def test_no_panel_lies_over_another(board):
    places = [panel["gridPos"] for panel in FILES[board.uid]["panels"]]

    assert all(place["x"] + place["w"] <= 24 for place in places)
    for a, b in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]


@each_board
def test_each_panel_says_what_it_shows_and_in_which_unit(board):
    for panel in board.panels:
        assert panel.description.endswith(".")
        assert panel.unit
        assert panel.queries
        limits = [each for each in (panel.warns_from, panel.bad_from) if each is not None]
        assert limits == sorted(limits, reverse=panel.less_is_bad)


@each_board
def test_no_data_source_is_left_open(board):
    text = as_json(board)

    assert "${" not in text
    assert set(re.findall(r'"uid": "(\w+)"', text.split('"tags"')[0])) <= {"prometheus"}


@each_board
def test_panels_ask_for_metrics_that_there_are(board):
    asked = " ".join(query for panel in board.panels for query in panel.queries.values())
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|by \([^)]*\)', "", asked)
    named = set(re.findall(r"(?<![:\w])[a-z]+_[a-z_]+(?![:\w(])", bare))
    base = {re.sub(r"_(bucket|count|sum)$", "", name) for name in named}

    assert {name for name in base - LATER - LIBRARYS if f"`{name}`" not in PAGE} == set()


def test_every_dashboard_has_its_picture_in_the_documents():
    page = (ROOT / "docs" / "grafana.md").read_text()

    for board in BOARDS:
        assert f"](images/{board.uid}.png)" in page
        assert (PICTURES / f"{board.uid}.png").exists()


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.045, "s", "45 ms"), (90, "s", "1.5 min"), (93600, "s", "26 h"), (691200, "s", "8 d"),
        (0.001, "percentunit", "0.1 %"), (4750000, "bytes", "4.53 MiB"), (600, "Bps", "600 B/s"),
        (0, "s", "0 s"), (2400, "short", "2.4 k"), (1e9, "short", "1 G"), (1234, "short", "1.23 k"),
        (0.0045, "ops", "0.0045/s"), (1234, "reqps", "1.23 k/s"),
        (0.00001, "short", "0.000"), (-7200, "s", "-2 h"),
    ],
)  # fmt: skip
def test_a_value_is_told_as_short_as_it_can_be_read(value, unit, text):
    assert shown(value, unit) == text
