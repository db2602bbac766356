"""Bodies, read from what a client sends."""

from decimal import Decimal

import pytest
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ContentTooLarge, UnsupportedMediaType
from shared.limits import BODY_LIMIT_BYTES
from shared.web.reading import StrictRequest, parse

LIMIT = 1000


def request_of(*chunks: bytes, content_type="application/json", length=None):
    sent = list(chunks)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": sent.pop(0), "more_body": bool(sent)}

    headers = [(b"content-type", content_type.encode())]
    if length is not None:
        headers.append((b"content-length", length.encode()))
    scope = {"type": "http", "headers": headers, "query_string": b""}
    return StrictRequest(Request(scope, receive), LIMIT), sent


async def read(body: bytes) -> object:
    return await request_of(body)[0].json()


def refused(body: bytes) -> dict[str, object]:
    with pytest.raises(RequestValidationError) as caught:
        parse(body, LIMIT)
    (error,) = caught.value.errors()
    return error


@given(st.decimals(allow_nan=False, allow_infinity=False))
async def test_a_number_keeps_every_digit(number):
    found = parse(f'{{"n": {number:f}}}'.encode(), LIMIT)

    assert found == {"n": number}
    assert f"{Decimal(found['n']):f}" in {f"{number:f}", f"{number:f}".removeprefix("-")}


@pytest.mark.parametrize(
    ("body", "value"),
    [(b"0.1", Decimal("0.1")), (b"1e400", Decimal("1e400")), (b"1E-7", Decimal("1E-7")),
     (b"0.30000000000000004", Decimal("0.30000000000000004")), (b"12", 12), (b'"0.1"', "0.1"),
     (b"1e3", Decimal(1000)), (b"12345678901234567890123", 12345678901234567890123)],
)  # fmt: skip
async def test_no_number_passes_through_a_binary_float(body, value):
    found = await read(body)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "body",
    [b"NaN", b"[Infinity]", b'{"a": -Infinity}', b"{", b"", b"{'a':1}", b"[1,]", b"01", b"1_0",
     b"+1", b"1.", b".5", b"\xff", b'"\\ud800"', b"[" * 300, b"9" * 5000, b"1 2",
     "\uff11\uff12".encode()],
)  # fmt: skip
async def test_what_is_no_json_is_refused(body):
    assert refused(body)["type"] == "json_invalid"


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"a": 1, "a": 1}', "a"),
        (b'{"a": {"b": [{"c": 1, "d": 2, "c": 3}]}}', "c"),
        (b'{"a": 1, "\\u0061": 2}', "a"),
        ('{"é": 1, "é": 2}'.encode(), "é"),
        (b'{"a": 1, "' + b"k" * 500 + b'": 1, "' + b"k" * 500 + b'": 2}', "k" * 100),
    ],
)
def test_a_key_given_twice_is_refused_and_named(body, key):
    error = refused(body)

    assert (error["type"], error["ctx"]) == ("given_twice", {"key": key})


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=5))
def test_keys_may_be_the_same_only_in_different_objects(keys):
    inner = ",".join(f'"{key}": 1' for key in keys)
    body = f'{{"x": {{{inner}}}, "y": {{{inner}}}}}'.encode()

    if len(keys) == len(set(keys)):
        assert parse(body, LIMIT) == {"x": dict.fromkeys(keys, 1), "y": dict.fromkeys(keys, 1)}
    else:
        assert refused(body)["type"] == "given_twice"


async def test_the_body_is_read_once():
    request, sent = request_of(b'{"a": 1}')

    assert await request.json() == await request.json() == {"a": 1}
    assert sent == []


async def test_a_body_in_pieces_is_one_body():
    assert await request_of(b'{"a"', b": ", b"1}")[0].json() == {"a": 1}


async def test_reading_stops_at_the_limit_whatever_was_announced():
    for length in (None, "5"):
        request, left = request_of(*[b"x" * 400] * 10, length=length)

        with pytest.raises(ContentTooLarge) as caught:
            await request.body()

        assert caught.value.limit_bytes == LIMIT
        assert len(left) == 7


@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT])
async def test_up_to_the_limit_all_is_read(size):
    assert len(await request_of(b"x" * size)[0].body()) == size


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON", "Application/Json; Charset=UTF-8",
     "application/json;charset=utf-8", " application/json ", "application/merge-patch+json"],
)  # fmt: skip
async def test_json_may_be_named_in_any_case_and_with_parameters(content_type):
    assert await request_of(b"{}", content_type=content_type)[0].json() == {}


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/jsonp", "application/x-www-form-urlencoded", "json",
     "text/json", "application/json application/json", "application/"],
)  # fmt: skip
async def test_what_is_not_named_json_is_refused(content_type):
    with pytest.raises(UnsupportedMediaType):
        await request_of(b"{}", content_type=content_type)[0].json()


@pytest.mark.parametrize(
    "body",
    [
        b"{" + b",".join(b'"%d":1' % number for number in range(2000)) + b"}",
        b'{"a":[{}, {"b": [' + b'"x",' * 5000 + b"{" + b",".join(
            b'"%d":1' % number for number in range(101)) + b"}]}]}",
        b"[" + b"{}," * 400_001 + b"{}]",
        b"[" + b"1," * 17_000 + b"1]",
        b'{"a":"' + b"x" * 20_000 + b'","b":[{"c":[{' + b",".join(
            b'"%d":1' % number for number in range(101)) + b"}]}]}",
    ],
    ids=["members", "members-deep", "objects", "numbers", "members-deeper"],
)  # fmt: skip
def test_more_values_than_anybody_sends_are_refused_before_they_cost(body):
    limit = BODY_LIMIT_BYTES if len(body) < BODY_LIMIT_BYTES else 16_777_216

    with pytest.raises(RequestValidationError) as caught:
        parse(body, limit)

    assert caught.value.errors()[0]["type"] == "too_many_values"


def test_many_values_that_are_no_attack_are_read():
    lines = b",".join(b'{"a":1,"b":"x, y","c":2.5,"d":"2026-01-01"}' for _ in range(10_000))

    assert len(parse(b'{"lines":[' + lines + b"]}", 16_777_216)["lines"]) == 10_000
