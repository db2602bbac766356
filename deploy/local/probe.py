"""Ask a process whether it is ready, without an HTTP library: start-up time counts here."""

import asyncio
import re

PROBE_TIMEOUT_S = 5.0
ANSWER_MAX = 65_536  # bytes
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})\b")


async def health(host: str, port: int, path: str = "/health/ready") -> tuple[int, str]:
    """Return status and body; (0, reason) when nothing answers."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return await _get(host, port, path)
    except TimeoutError:
        return 0, f"no answer within {PROBE_TIMEOUT_S:.0f} s"
    except (OSError, ValueError) as error:
        return 0, str(error)


async def _get(host: str, port: int, path: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection(host, port, limit=ANSWER_MAX)
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        answer = await reader.read(ANSWER_MAX)
    finally:
        writer.close()
    return parse_answer(answer)


def parse_answer(answer: bytes) -> tuple[int, str]:
    """Return status and body of an HTTP/1.1 answer; raises ValueError for anything else."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = _STATUS_LINE.match(head)
    if status is None:
        raise ValueError("the answer is not HTTP")
    return int(status[1]), body.decode(errors="replace")
