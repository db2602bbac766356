import shutil
import socket
from types import SimpleNamespace

import pytest

from deploy.local import checks
from deploy.local.errors import StackError
from tests.support.ports import reserved_port


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_taken_port_is_named_with_what_changes_it(taken_port):
    uses = [(taken_port, "auth", "set AUTH_PORT")]

    with pytest.raises(StackError, match=f"Port {taken_port} for auth is taken; set AUTH_PORT"):
        checks.refuse_taken_ports("127.0.0.1", uses, wait_s=0)


def test_every_taken_port_is_named_at_once(taken_port):
    with socket.create_server(("127.0.0.1", 0)) as other:
        second = other.getsockname()[1]
        uses = [(taken_port, "auth", "set AUTH_PORT"), (second, "gateway", "set GATEWAY_PORT")]

        with pytest.raises(StackError) as refused:
            checks.refuse_taken_ports("127.0.0.1", uses, wait_s=0)

    assert str(refused.value).splitlines() == [
        f"Port {taken_port} for auth is taken; set AUTH_PORT to another one.",
        f"Port {second} for gateway is taken; set GATEWAY_PORT to another one.",
    ]


def test_free_port_passes():
    with reserved_port() as free:
        checks.refuse_taken_ports("127.0.0.1", [(free, "auth", "set AUTH_PORT")], wait_s=0)


def test_address_of_another_machine_is_refused():
    with pytest.raises(StackError, match=r"cannot be used on 192\.0\.2\.1"):
        checks.refuse_taken_ports("192.0.2.1", [(18083, "gateway", "set HOST")], wait_s=0)


def test_full_disk_is_said_with_what_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=12_000_000))

    with pytest.raises(StackError, match="Disk full: 12 MB free"):
        checks.refuse_full_disk(tmp_path)


def test_disk_with_room_passes(tmp_path):
    checks.refuse_full_disk(tmp_path, needed=1)
