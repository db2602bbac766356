import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import AmbiguousPath, UriTooLong
from gateway.paths import check_path, check_query


@pytest.mark.parametrize(
    "path",
    [
        "/", "/api/inventory", "/api/inventory/", "/.well-known/jwks.json", "/api/a-b_c~d.e",
        "/api/inventory/lookup/A%20B", "/api/x/caf%C3%A9", "/api/x/caf%c3%a9", "/api/x/50%25",
        "/api/x/a%23b", "/api/x/a%3Fb", "/api/x/...", "/api/x/.hidden", "/api/x/a..b",
        "/api/x/$&'()*+,=:@!", "/api/x/%E2%82%AC", "/api/x/%25zz",
    ],
)  # fmt: skip
def test_a_path_with_one_reading_passes_unchanged(path):
    assert check_path(path.encode()) == path.encode()


@pytest.mark.asvs("E04")
@pytest.mark.parametrize(
    "path",
    [
        b"", b"api", b"//", b"//api", b"/api//x", b"/api/x//", b"/.", b"/..", b"/api/.",
        b"/api/./x", b"/api/../x", b"/api/..", b"/api/%2e%2e/x", b"/api/%2E/x", b"/api/.%2e/x",
        b"/api/%2f", b"/api/%2F/x", b"/api%2finventory", b"/api/%5c", b"/api/%5C..", b"/api\\x",
        b"/api/%252e%252e/x", b"/api/%252fx", b"/api/%2500", b"/api/..;/x", b"/api;v=1/x",
        b"/api/%00", b"/api/%0d%0a", b"/api/%0A", b"/api/%1f", b"/api/%7f", b"/api/%", b"/api/%2",
        b"/api/%zz", b"/api/%ff", b"/api/%c0%ae", b"/api/%c0%af", b"/api/%e0%80%af",
        b"/api/%ed%a0%80", b"/api/%c3", b"/api/%f4%90%80%80", b"/api/\xc3\xa9", b"/api/ x",
        b"/api/x\x00", b"/api/x\r", b"/api/x\n", b"/api/x\t", b"/api/x#y", b"/api/x?y",
        b"/%61pi/inventory", b"/api/%69nventory", b"/api/%41", b"/api/%7E", b"/api/%5f",
        b'/api/"', b"/api/<", b"/api/`", b"/api/{x}", b"/api/|", b"/api/^",
        b"http://x/api", b"*", b"/\n",
    ],
)  # fmt: skip
def test_a_path_with_two_readings_is_refused(path):
    with pytest.raises(AmbiguousPath):
        check_path(path)


@pytest.mark.asvs("E04")
@given(st.binary(max_size=40))
def test_whatever_the_bytes_the_path_passes_unchanged_or_is_refused(junk):
    path = b"/api/" + junk
    try:
        assert check_path(path) == path
    except AmbiguousPath:
        return
    assert b"//" not in path
    assert path.isascii()
    assert not {b".", b".."} & set(path.split(b"/"))


def test_the_length_is_limited():
    assert check_path(b"/" + b"x" * 2047)
    with pytest.raises(UriTooLong):
        check_path(b"/" + b"x" * 2048)
    with pytest.raises(UriTooLong):
        check_query(b"x" * 8193)


@pytest.mark.parametrize(
    "query", [b"", b"a=b&c=d", b"q=%2e%2e/", b"a[]=1", b"x=a+b;c", b"u=http://x/?y"]
)
def test_a_printable_query_passes_unchanged(query):
    assert check_query(query) == query


@pytest.mark.parametrize(
    "query", [b"a b", b"a\x00", b"\xff", b"a#b", b"<", b'"', b"a\r\nb", b"a\n"]
)
def test_other_queries_are_refused(query):
    with pytest.raises(AmbiguousPath):
        check_query(query)
