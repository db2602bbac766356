import pytest

from deploy.local.probe import health, parse_answer


def test_answer_is_split_into_status_and_body():
    answer = b'HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\n{"database": false}'

    assert parse_answer(answer) == (503, '{"database": false}')


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 OK\r\n\r\n"])
def test_anything_else_is_no_answer(answer):
    with pytest.raises(ValueError, match="not HTTP"):
        parse_answer(answer)


async def test_nothing_listening_is_status_zero():
    status, reason = await health("127.0.0.1", 1)

    assert status == 0
    assert reason
