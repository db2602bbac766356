"""The containers' health check: ask this container's own process whether it is ready.

A file by itself, without imports from the project: it starts every ten seconds.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

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
    connection = HTTPConnection("127.0.0.1", int(port or DEFAULT_PORTS[program]), timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/health/ready")
        return 0 if connection.getresponse().status == OK else 1
    except (OSError, HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
