"""Inventory's real app on the test run's database, for its own tests and those of its followers."""

from services.inventory.settings import Settings
from tests.support.database import Databases


def make_inventory_settings(databases: Databases, service_environment: dict[str, str]) -> Settings:
    return Settings(
        **service_environment,
        database_url=databases.dsn("inventory_app"),
        inventory_encryption_key="22" * 32,
        price_encryption_key="33" * 32,
        inventory_client_secret="inventory-client-secret",
    )
