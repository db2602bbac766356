from itertools import islice

from tests.torture.duties import COUNTED, duty_of
from tests.torture.plan import steps
from tests.torture.requests import DEAR, KIT, Own, Shared

DUTIES = {
    "assemble", "disassemble", "weigh", "open_count", "enter_count", "post_count", "recount",
    "cancel_count", "approve", "reject", "withdraw", "freeze", "close",
}  # fmt: skip


def asked(shared):
    own = Own({KIT: "kit"}, shared)
    found = ((step.kind, duty_of(step, "name", own)) for step in islice(steps("s", 0), 3000))
    return [(kind, request) for kind, request in found if request is not None]


def test_everybody_counts_approves_freezes_and_closes():
    shared = Shared([("count", "Dock", list(COUNTED))], [("approval", "user:1")])

    assert {kind for kind, _ in asked(shared)} == DUTIES


def test_nobody_goes_on_with_what_is_not_there():
    kinds = {kind for kind, _ in asked(Shared())}

    assert kinds == {"assemble", "disassemble", "weigh", "open_count", "freeze", "close"}


def test_what_somebody_asked_for_another_decides_and_he_himself_takes_back():
    for kind, request in asked(Shared(approvals=[("approval", "user:1")])):
        if kind in {"approve", "reject"}:
            assert (request.role, request.avoids) == ("manager", "user:1")
        if kind == "withdraw":
            assert request.actor == "user:1"


def test_freezes_and_closed_periods_are_undone():
    undone = [request for kind, request in asked(Shared()) if kind in {"freeze", "close"}]

    assert {each.undoes({"id": "x"}).kind for each in undone} == {"lift", "reopen"}
    assert all(each.role == each.undoes({"id": "x"}).role == "admin" for each in undone)


def test_what_is_dear_is_moved_by_itself():
    weighed = [request for kind, request in asked(Shared()) if kind == "weigh"]

    assert {request.body["item"] for request in weighed} == {DEAR}
