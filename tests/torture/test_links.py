import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from tests.support.ports import reserved_ports
from tests.support.waiting import eventually
from tests.torture.links import Link

pytestmark = pytest.mark.slow


@asynccontextmanager
async def echoing():
    """Give a link to a server that answers with what it is told, and what this was told."""
    heard = []

    async def echo(reader, writer):
        with suppress(OSError):
            while line := await reader.readline():
                heard.append(line)
                writer.write(line)
                await writer.drain()

    with reserved_ports(2) as (behind, front):
        server = await asyncio.start_server(echo, "127.0.0.1", behind)
        link = Link(lambda: asyncio.open_connection("127.0.0.1", behind), "seed")
        await link.listen_tcp(front)
        try:
            yield link, front, heard
        finally:
            await link.close()
            server.close()


async def ask(port, line):
    """Return what comes back, nothing where the connection ends before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(line)
        with suppress(OSError):
            return await reader.readline()
        return b""
    finally:
        writer.close()


async def test_a_link_passes_on_what_it_gets():
    async with echoing() as (link, port, heard):
        assert await ask(port, b"one\n") == b"one\n"
        link.delay_s = 0.01
        assert await ask(port, b"two\n") == b"two\n"
        assert heard == [b"one\n", b"two\n"]


async def test_what_hangs_arrives_when_it_is_healed():
    async with echoing() as (link, port, heard):
        link.is_hanging = True
        asking = asyncio.create_task(ask(port, b"one\n"))
        await asyncio.wait([asking], timeout=0.1)
        assert (heard, asking.done()) == ([], False)
        link.heal()

        assert await asking == b"one\n"


async def test_an_answer_is_lost_after_it_was_given():
    async with echoing() as (link, port, heard):
        link.is_losing = True
        asking = asyncio.create_task(ask(port, b"one\n"))
        await eventually(lambda: heard)
        assert not asking.done()
        link.heal()

        assert await asking == b""


async def test_of_an_answer_only_the_beginning_arrives():
    async with echoing() as (link, port, _):
        link.is_halving = True

        assert len(await ask(port, b"a long answer\n")) < len(b"a long answer\n")


async def test_a_cut_ends_every_connection():
    async with echoing() as (link, port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"one\n")
        assert await reader.readline() == b"one\n"
        link.cut()

        with suppress(ConnectionError):
            assert await reader.readline() == b""
        writer.close()


async def test_a_commit_is_heard_or_not_and_never_answered():
    async with echoing() as (link, port, heard):
        link.cuts_commits = True
        assert await ask(port, b"COMMIT\n") == b""
        await eventually(lambda: heard == [b"COMMIT\n"])
        link.heal()
        link.loses_commits = True
        assert await ask(port, b"COMMIT\n") == b""
        assert await ask(port, b"SELECT\n") == b"SELECT\n"
        assert heard == [b"COMMIT\n", b"SELECT\n"]


async def test_somebody_is_told_when_a_commit_was_answered():
    async with echoing() as (link, port, heard):
        told = []
        link.after_commit = lambda: told.append(list(heard))

        assert await ask(port, b"COMMIT\n") == b""
        assert told == [[b"COMMIT\n"]]
        assert await ask(port, b"COMMIT\n") == b"COMMIT\n"
