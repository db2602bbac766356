"""What consumers read of a promise is in it, by the producer's own schema."""

import ast
import re
from unittest.mock import MagicMock
from uuid import uuid4

import pytest

from gateway.revocations import PATH, Revocations
from services.forecasting.consumption import queries as consumption
from services.forecasting.followers import followers as followers_of_forecasting
from services.reporting.followers import followers as followers_of_reporting
from services.reporting.read_models import queries as read_models
from shared.contracts.auth.revocations import RevocationsRead
from shared.contracts.auth.service_tokens import ServiceTokenRead
from shared.contracts.inventory.items import ItemSaved
from shared.contracts.inventory.movements import StockMoved
from tests.contracts.registry import ANSWERS, entries
from tests.support.tree import ROOT, parsed

FOLLOWERS = [*followers_of_forecasting(MagicMock()), *followers_of_reporting(MagicMock())]
# What PostgreSQL reads of an entry's JSON, and how it may stand there.
COLUMNS = re.compile(r"json_to_recordset\(.*?\) AS r\((.*?)\)", re.DOTALL)
ADDED = {"code_key"}  # What forecasting reckons itself and puts beside it.
WRITTEN_AS = {
    "uuid": "UUID", "text": "str", "numeric": "Decimal", "int": "int", "boolean": "bool",
    "timestamptz": "datetime",
}  # fmt: skip


@pytest.mark.parametrize("follower", FOLLOWERS, ids=lambda follower: follower.producer)
def test_who_follows_goes_by_entries_that_the_producer_promises(follower):
    promised = {name for name in entries() if name.startswith(f"{follower.producer}.")}

    assert follower.types <= promised


@pytest.mark.parametrize(
    ("statement", "entry"),
    [(consumption._SAVE_ITEMS, ItemSaved), (consumption._ADD_MOVEMENTS, StockMoved)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_statement_reads_of_an_entry_is_promised_in_that_form(statement, entry):
    read = dict(part.split() for part in COLUMNS.search(str(statement))[1].split(","))

    assert len(read) >= 5
    for name in read.keys() - ADDED:
        kind = read[name]
        said = str(entry.model_fields[name].annotation)
        assert WRITTEN_AS[kind] in said, (name, kind, said)


def test_what_reporting_keeps_of_an_item_is_promised():
    assert set(read_models._ITEM_COLUMNS) <= set(ItemSaved.model_fields)


async def test_the_gateway_reads_the_list_of_revocations_as_it_is_promised():
    session, user = uuid4(), uuid4()
    promised = RevocationsRead(
        sessions=[str(session)],
        versions={str(user): 3},
        languages={str(user): "fr"},
        requests_per_minute={str(session): 600},
    )

    class Auth:
        async def get_json(self, service, path, *, timeout_s):
            assert (service, f"GET {path}") == ("auth", f"GET {PATH}")
            assert timeout_s > 0
            return promised.model_dump(mode="json")

    revocations = Revocations(Auth())
    await revocations.refresh()

    assert f"GET {PATH}" in ANSWERS
    assert revocations.loaded
    assert revocations.cover(MagicMock(sid=session, sub=uuid4(), ver=1))
    assert revocations.cover(MagicMock(sid=uuid4(), sub=user, ver=2))
    assert not revocations.cover(MagicMock(sid=uuid4(), sub=user, ver=3))
    assert revocations._languages == {user: "fr"}
    assert revocations.tenant_rates == {session: 600}


def test_what_is_read_of_a_service_token_is_promised():
    read = {
        node.slice.value
        for node in ast.walk(parsed(ROOT / "shared" / "http.py"))
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "granted"
        if isinstance(node.slice, ast.Constant)
    }

    assert read == set(ServiceTokenRead.model_fields)
