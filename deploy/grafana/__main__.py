"""`python -m deploy.grafana`: write the dashboards that Grafana is provisioned with.

`python -m deploy.grafana pictures [ADDRESS [MINUTES]]` draws them by what a Prometheus answers.
"""

import sys
import time
from pathlib import Path

from deploy.grafana.listing import BOARDS

FOLDER = Path(__file__).parent / "dashboards"
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "images"


def main(words: list[str]) -> int:
    match words:
        case []:
            from deploy.grafana.building import as_json  # noqa: PLC0415 - a package of development.

            for board in BOARDS:
                (FOLDER / f"{board.uid}.json").write_text(as_json(board))
        case ["pictures", *more]:
            from deploy.grafana.pictures import draw  # noqa: PLC0415 - loads matplotlib.

            address = more[0] if more else "http://127.0.0.1:9090"
            minutes = float(more[1]) if more[1:] else 60.0
            for board in BOARDS:
                drawn = draw(board, address, time.time(), minutes * 60)
                (PICTURES / f"{board.uid}.png").write_bytes(drawn)
        case _:
            sys.stderr.write("usage: python -m deploy.grafana [pictures [ADDRESS [MINUTES]]]\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
