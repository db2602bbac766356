"""The processes of docs/architecture.md are those of docker-compose.yml."""

import re

from tests.support.tree import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DIAGRAMS = re.findall(r"^```mermaid\n(\w+)[^\n]*\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
OUTSIDE = {"client"}  # Who is no process of ours.


def containers() -> set[str]:
    services = COMPOSE.split("\nservices:\n")[1].split("\nnetworks:\n")[0]
    return set(re.findall(r"^  ([a-z-]+):$", services, re.MULTILINE))


def test_the_diagrams_and_the_containers_are_found():
    assert {kind for kind, _ in DIAGRAMS} == {"flowchart", "sequenceDiagram"}
    assert {"gateway", "postgres", "valkey"} <= containers()


def test_the_diagram_of_processes_shows_every_container_and_no_other():
    processes = next(text for kind, text in DIAGRAMS if kind == "flowchart")

    assert set(re.findall(r'[\[(]"([^"]+)"[\])]', processes)) == containers()


def test_a_process_in_a_diagram_has_one_name():
    processes = next(text for kind, text in DIAGRAMS if kind == "flowchart")

    for node, label in re.findall(r'([\w-]+)[\[(]+"([^"]+)"', processes):
        assert node == label


def test_who_takes_part_in_a_sequence_is_a_container():
    sequences = [text for kind, text in DIAGRAMS if kind == "sequenceDiagram"]
    for text in sequences:
        declared = set(re.findall(r"participant (\S+)", text))
        speaking = {
            name
            for pair in re.findall(r"^\s*([\w-]+?)-{1,2}>>([\w-]+):", text, re.MULTILINE)
            for name in pair
        }

        assert speaking
        assert (declared | speaking) - OUTSIDE <= containers()
        assert speaking <= declared
