import pytest

from services.auth.openid import ProviderClient, ProviderUnreachable, ProviderUnusable
from tests.support.identity_provider import running_provider


async def asked_of(client: ProviderClient, issuer: str) -> str:
    try:
        return (await client.configuration(issuer)).issuer
    finally:
        await client.close()


@pytest.mark.slow
async def test_loopback_is_for_development():
    with running_provider() as provider:
        developing = ProviderClient(allows_loopback=True, allows_private=False)
        assert await asked_of(developing, provider.issuer) == provider.issuer

        in_production = ProviderClient(allows_loopback=False, allows_private=True)
        with pytest.raises(ProviderUnusable):
            await asked_of(in_production, provider.issuer)


@pytest.mark.slow
async def test_an_answer_without_end_is_left():
    with running_provider() as provider:
        provider.configuration = {"more": "x" * 400_000}
        client = ProviderClient(allows_loopback=True, allows_private=False)

        with pytest.raises(ProviderUnreachable):
            await asked_of(client, provider.issuer)


@pytest.mark.parametrize(
    "issuer",
    ["https://" + "a" * 300 + ".com", "https://...", "https://xn--ÿ.com", "https://ä.com",
     "https://exa\u202emple.com", "https://example.com/ä"],
)  # fmt: skip
async def test_what_is_no_name_is_not_asked(issuer: str):
    client = ProviderClient(allows_loopback=False, allows_private=False)

    with pytest.raises((ProviderUnusable, ProviderUnreachable)):
        await asked_of(client, issuer)
