"""Secrets of webhooks under a new key, the one before and none."""

from dataclasses import replace

import pytest

from services.inventory.commands import COMMANDS
from services.inventory.jobs import reseal_secrets
from services.inventory.webhooks.service.subscribing import SECRET_COLUMN
from shared.security.sealing import SealBroken, Sealer, place
from tests.services.inventory.webhooks.service.test_sending import verifies

pytestmark = pytest.mark.stack

NEW_KEY = "5e" * 32


@pytest.fixture
async def webhook(hooks, superuser, caller):
    """One whose secret was renewed an hour ago; of other tests none is left."""
    await superuser.execute(
        "DELETE FROM inventory.webhooks WHERE tenant_id <> $1", caller.tenant_id
    )
    added = await hooks.add()
    renewed = await hooks.do("POST", added, "/rotate-secret", {"overlap_hours": 1})
    return renewed | {"before": added["secret"]}


@pytest.fixture
def with_key(resources, inventory_settings):
    old_key = inventory_settings.inventory_encryption_key.get_secret_value()

    def having(key=NEW_KEY, previous=old_key):
        return resources.having(replace(resources.own, secrets=Sealer(key, previous)))

    return having


@pytest.fixture
def stored(superuser, caller):
    async def read(webhook):
        row = await superuser.fetchrow(
            "SELECT secret_sealed, previous_sealed FROM inventory.webhooks WHERE id = $1",
            webhook["id"],
        )
        return tuple(row), place(SECRET_COLUMN, caller.tenant_id, webhook["id"])

    return read


async def test_what_an_earlier_key_sealed_is_sealed_with_the_present_one(
    webhook, with_key, stored, hooks
):
    assert await reseal_secrets(with_key()) == (2, 0)

    sealed, where = await stored(webhook)
    opened = [Sealer(NEW_KEY).open(each, where).decode() for each in sealed]
    assert opened == [webhook["secret"], webhook["before"]]
    assert (await hooks.do("GET", webhook))["version"] == webhook["version"]
    assert await reseal_secrets(with_key()) == (0, 0)
    assert (await stored(webhook))[0] == sealed


async def test_messages_are_signed_the_same_with_the_old_key_gone(
    webhook, with_key, hooks, send, sender
):
    await reseal_secrets(with_key())
    sender._sealer = with_key(previous="").own.secrets
    await hooks.ping(webhook)

    await send()

    [one] = hooks.receiver.at("/hook")
    assert verifies(webhook["secret"], one)
    assert verifies(webhook["before"], one)


async def test_a_key_that_is_gone_is_told_and_changes_nothing(webhook, with_key, stored):
    before = (await stored(webhook))[0]
    without = with_key(previous="")

    assert await reseal_secrets(without) == (0, 2)
    told = await COMMANDS["rotate-keys"](without)
    assert told.is_bad
    assert "not known" in told.text

    sealed, where = await stored(webhook)
    assert sealed == before
    with pytest.raises(SealBroken):
        Sealer(NEW_KEY).open(sealed[0], where)
    said = await COMMANDS["rotate-keys"](with_key())
    assert said.text == "Sealed 2 secrets of webhooks with the present key."


async def test_a_secret_before_that_no_key_opens_is_left_out(webhook, hooks, send, superuser):
    await superuser.execute(
        "UPDATE inventory.webhooks SET previous_sealed = '\\x0102' WHERE id = $1", webhook["id"]
    )
    await hooks.ping(webhook)

    await send()

    [one] = hooks.receiver.at("/hook")
    assert verifies(webhook["secret"], one)
    assert not verifies(webhook["before"], one)
