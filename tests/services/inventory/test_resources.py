"""What inventory keeps is sealed with inventory's own key."""

from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from services.inventory.app import create_app
from services.inventory.resources import open_service
from shared.resources import open_resources
from shared.security.sealing import Sealer
from tests.support.services import Caller, running

pytestmark = pytest.mark.stack


async def add_location(client: httpx.AsyncClient, caller: Caller, key: str) -> httpx.Response:
    return await client.post(
        "/api/locations",
        json={"name": f"Main {key}", "type": "warehouse"},
        headers=caller.headers(**{"Idempotency-Key": key}),
    )


async def test_a_kept_answer_opens_with_the_key_of_inventory(
    client, caller, inventory_settings, superuser
):
    key = uuid4().hex
    added = await add_location(client, caller, key)
    sealed = await superuser.fetchval(
        "SELECT answer #>> '{}' FROM inventory.idempotency_keys WHERE key = $1", key
    )

    sealer = Sealer(inventory_settings.inventory_encryption_key.get_secret_value())
    kept = sealer.open_text(sealed, f"idempotency_keys.answer|user:{caller.id}|{key}")

    assert added.json()["id"].encode() in kept


@pytest.mark.parametrize("before", ["the journal's key", "an earlier key"])
async def test_an_answer_kept_under_an_earlier_key_is_still_given(
    inventory_settings, caller, before
):
    """Answers are kept for days: longer than an upgrade, or a change of the key, takes."""
    earlier = "ab" * 32
    key = uuid4().hex
    old = create_app(
        inventory_settings.model_copy(update={"inventory_encryption_key": SecretStr(earlier)})
    )
    async with running(old) as client:
        if before == "the journal's key":
            old.state.resources.answer_sealer = open_resources(
                "inventory", inventory_settings
            ).answer_sealer
        first = await add_location(client, caller, key)

    new = create_app(
        inventory_settings.model_copy(
            update={"inventory_encryption_key_previous": SecretStr(earlier)}
        )
    )
    async with running(new) as client:
        again = await add_location(client, caller, key)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_answers_are_not_sealed_with_the_key_of_prices(inventory_settings):
    resources = open_service(inventory_settings)

    sealed = resources.answer_sealer.seal(b"answer", "place")

    with pytest.raises(Exception, match="unknown version or key"):
        resources.own.prices.open(sealed, "place")
    await resources.close()
