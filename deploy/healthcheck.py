"""The containers' health check: ask this container's own process whether it is ready.

A file by itself, without imports from the project: it starts every ten seconds.
"""

import os
import ssl
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection

OK = 200
TIMEOUT_S = 4.0
DEFAULT_PORTS = {
    "gateway": 8083,
    "auth": 8101,
    "inventory": 8102,
    "forecasting": 8103,
    "reporting": 8104,
}


def main() -> int:
    """Return 0 when /health/ready answers 200; workers answer on METRICS_PORT."""
    program = os.environ.get("PROGRAM", "gateway")
    port = os.environ.get("METRICS_PORT") or os.environ.get(f"{program.upper()}_PORT")
    connection = connection_to(program, int(port or DEFAULT_PORTS[program]))
    try:
        connection.request("GET", "/health/ready")
        return 0 if connection.getresponse().status == OK else 1
    except (OSError, HTTPException):
        return 1
    finally:
        connection.close()


def connection_to(program: str, port: int) -> HTTPConnection:
    """Return a connection to our own process: its certificate is for another name than this one."""
    certificate, key = os.environ.get("SERVICE_TLS_CERT"), os.environ.get("SERVICE_TLS_KEY")
    if program == "gateway":
        certificate = key = os.environ.get("GATEWAY_TLS_CERT")
    if not certificate or not key:
        return HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if program == "gateway":
        context.verify_mode = ssl.CERT_NONE  # Anybody may ask, and nothing private is said.
    else:
        context.load_verify_locations(os.environ.get("SERVICE_TLS_CA_CERT"))
        context.load_cert_chain(certificate, key)
    return HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT_S, context=context)


if __name__ == "__main__":
    sys.exit(main())
