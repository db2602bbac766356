"""All dashboards, in the order in which they are shown."""

from deploy.grafana.boards import database, forecasting, inventory, operations, security

BOARDS = (inventory.BOARD, database.BOARD, forecasting.BOARD, security.BOARD, operations.BOARD)
