import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.route import ExactRequest


async def read(body: bytes) -> object:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return await ExactRequest({"type": "http", "headers": []}, receive).json()


@given(st.decimals(allow_nan=False, allow_infinity=False))
async def test_a_number_keeps_every_digit(number):
    found = await read(f'{{"n": {number:f}}}'.encode())

    assert found == {"n": number}
    assert str(Decimal(found["n"])) == str(Decimal(f"{number:f}"))


@pytest.mark.parametrize(
    ("body", "value"),
    [(b"0.1", Decimal("0.1")), (b"1e400", Decimal("1e400")), (b"1E-7", Decimal("1E-7")),
     (b"0.30000000000000004", Decimal("0.30000000000000004")), (b"12", 12), (b'"0.1"', "0.1")],
)  # fmt: skip
async def test_no_number_passes_through_a_binary_float(body, value):
    found = await read(body)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "body", [b"NaN", b"[Infinity]", b'{"a": -Infinity}', b"{", b"", b"{'a':1}"]
)
async def test_what_is_no_json_is_refused(body):
    with pytest.raises(json.JSONDecodeError):
        await read(body)


async def test_the_body_is_read_once():
    bodies = [b'{"a": 1}']

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    request = ExactRequest({"type": "http", "headers": []}, receive)

    assert await request.json() == await request.json() == {"a": 1}
