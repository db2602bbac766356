from urllib.parse import parse_qs, urlsplit

from services.auth.identity_providers.rules import authorization_url, challenge_of


def test_the_challenge_is_that_of_the_rfc():
    """RFC 7636, appendix B."""
    assert (
        challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_nothing_that_is_asked_leaves_its_place():
    given = {"client_id": "a&b=c", "redirect_uri": "https://x/?y=1", "state": "s", "nonce": "n"}

    url = authorization_url("https://p/authorize?tenant=1", **given, verifier="v")

    asked = parse_qs(urlsplit(url).query)
    assert {name: asked[name] for name in given} == {name: [value] for name, value in given.items()}
    assert asked["tenant"] == ["1"]
    assert asked["code_challenge"] == [challenge_of("v")]
