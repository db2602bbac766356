"""`python -m deploy.grafana`: write the dashboards that Grafana is provisioned with."""

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.boards import database, forecasting, inventory, operations, security
from deploy.grafana.panels import Board, build

BOARDS = (inventory.BOARD, database.BOARD, forecasting.BOARD, security.BOARD, operations.BOARD)
FOLDER = Path(__file__).parent / "dashboards"


def as_json(board: Board) -> str:
    """Return the dashboard as the file that Grafana reads."""
    return f"{JSONEncoder(sort_keys=True, indent=1).encode(build(board))}\n"


if __name__ == "__main__":
    for each in BOARDS:
        (FOLDER / f"{each.uid}.json").write_text(as_json(each))
