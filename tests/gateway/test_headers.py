import re

import pytest

from gateway.errors import HeadersTooLarge, MalformedRequest
from gateway.headers import (
    HEAD_LENGTH_MAX,
    HEADERS_MAX,
    NO_STORE,
    RequestHead,
    answer_headers,
    check_host,
    may_pass,
    request_ids,
    sort_out,
)


def passing(*headers: tuple[bytes, bytes]) -> bytes:
    return b"".join(sort_out(headers).passing)


@pytest.mark.parametrize("name", [b"accept", b"if-match", b"tracestate", b"baggage", b"dnt"])
def test_ordinary_headers_pass(name):
    assert may_pass(name)


@pytest.mark.parametrize(
    "name",
    [b"x-user-id", b"x-anything", b"x-forwarded-for", b"user_id", b"accept_", b"_", b"host",
     b"connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"content-length",
     b"expect", b"keep-alive", b"proxy-connection", b"forwarded", b"cookie", b"traceparent"],
)  # fmt: skip
def test_framing_hops_and_claims_do_not(name):
    assert not may_pass(name)


def test_headers_are_framed_in_their_order():
    head = passing((b"accept", b"a"), (b"x-a", b"1"), (b"accept", b"b"), (b"dnt", b"1"))

    assert head == b"accept: a\r\naccept: b\r\ndnt: 1\r\n"


@pytest.mark.parametrize("value", [b"dnt", b"keep-alive, DNT", b"close ,dnt,", b" dnt "])
def test_what_connection_names_is_dropped(value):
    assert passing((b"connection", value), (b"dnt", b"1"), (b"accept", b"a")) == b"accept: a\r\n"


def test_connection_cannot_take_the_token_away():
    head = passing((b"connection", b"authorization"), (b"authorization", b"Bearer x"))

    assert head == b"authorization: Bearer x\r\n"


@pytest.mark.parametrize("name", [b"host", b"authorization", b"content-length", b"origin"])
def test_what_must_be_single_is_refused_when_double(name):
    with pytest.raises(MalformedRequest):
        sort_out([(name, b"1"), (name, b"1")])


def test_number_and_size_are_limited():
    assert sort_out([(b"a", b"b")] * HEADERS_MAX)
    with pytest.raises(HeadersTooLarge):
        sort_out([(b"a", b"b")] * (HEADERS_MAX + 1))
    with pytest.raises(HeadersTooLarge):
        sort_out([(b"a", b"b" * HEAD_LENGTH_MAX)])


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"identity", b"chunked, chunked", b""])
def test_no_coding_but_chunked_is_taken(coding):
    with pytest.raises(MalformedRequest):
        sort_out([(b"transfer-encoding", coding)])


@pytest.mark.parametrize(
    ("headers", "has_body"),
    [
        ([], False),
        ([(b"content-length", b"0")], False),
        ([(b"content-length", b"1")], True),
        ([(b"transfer-encoding", b"chunked")], True),
    ],
)
def test_a_body_is_announced(headers, has_body):
    assert sort_out(headers).has_body is has_body


@pytest.mark.parametrize("host", [b"a", b"shop.example:8083", b"127.0.0.1", b"[::1]:80"])
def test_a_host_is_a_host(host):
    check_host(sort_out([(b"host", host)]), "1.1")


@pytest.mark.parametrize("host", [b"", b"a b", b'a"', b"a/b", b"a@b", b"a,b", b"x" * 256, b"a\xff"])
def test_what_is_no_host_is_refused(host):
    with pytest.raises(MalformedRequest):
        check_host(sort_out([(b"host", host)]), "1.1")


def test_http_1_0_needs_no_host_and_has_no_chunks():
    check_host(sort_out([]), "1.0")
    with pytest.raises(MalformedRequest):
        check_host(sort_out([(b"transfer-encoding", b"chunked")]), "1.0")
    with pytest.raises(MalformedRequest):
        check_host(sort_out([]), "1.1")


TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def ids_of(**read: bytes) -> tuple[bytes, bytes]:
    return request_ids(RequestHead(read={n.replace("_", "-").encode(): v for n, v in read.items()}))


def test_ids_given_are_kept():
    assert ids_of(x_request_id=b"abc", traceparent=TRACE) == (b"abc", TRACE)


def test_a_new_request_id_is_the_trace_id():
    assert ids_of(traceparent=TRACE) == (TRACE[3:35], TRACE)
    request_id, trace = ids_of()
    assert trace[3:35] == request_id
    assert re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-01", trace)
    assert ids_of() != ids_of()


@pytest.mark.parametrize(
    "trace",
    [b"", b"x", TRACE.upper(), b"01" + TRACE[2:], TRACE + b"-x", b"00-" + b"0" * 32 + TRACE[35:],
     TRACE[:36] + b"0" * 16 + b"-01", TRACE + b"\n"],
)  # fmt: skip
def test_a_malformed_trace_is_replaced(trace):
    assert ids_of(traceparent=trace)[1] != trace


@pytest.mark.asvs("E09")
def test_an_answer_is_not_stored_unless_route_and_service_say_so():
    stated = [(b"cache-control", b"max-age=5")]

    assert answer_headers([], has_body=True, is_cacheable=True) == [NO_STORE]
    assert answer_headers(stated, has_body=True, is_cacheable=True) == stated
    assert answer_headers(stated, has_body=True, is_cacheable=False) == [NO_STORE]


def test_an_answer_without_body_has_no_length():
    length = (b"content-length", b"3")
    assert length in answer_headers([length], has_body=True, is_cacheable=False)
    assert length not in answer_headers([length], has_body=False, is_cacheable=False)
