import base64
import hashlib
import hmac
import json
import random
import time
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jose import jwk, jws

from shared.security.claims import InvalidToken, ServiceClaims, UserClaims
from shared.security.tokens import (
    FixedKeys,
    TokenSigner,
    TokenVerifier,
    load_jwks,
    public_jwks,
)
from tests.support.keys import private_key

PRIVATE = private_key("ours")
OTHER = private_key("other")
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  To refuse.


def pem_of(key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


PEM = pem_of(PRIVATE)
SIGNER = TokenSigner(PEM)
KEYS = load_jwks(public_jwks(PEM))


def user_claims(**changes) -> UserClaims:
    now = int(time.time())
    claims = UserClaims(
        sub=uuid4(), tid=uuid4(), sid=uuid4(), ver=3, jti=uuid4(), iat=now, exp=now + 900,
        auth_time=now, role="clerk", scopes=frozenset({"inventory:read", "stock:write"}),
        amr=("pwd",), lang="fr", locations=None,
    )  # fmt: skip
    return replace(claims, **changes)


def service_claims(**changes) -> ServiceClaims:
    now = int(time.time())
    claims = ServiceClaims(
        sub="reporting",
        target="inventory",
        jti=uuid4(),
        iat=now,
        exp=now + 60,
        scopes=frozenset({"journal:read"}),
    )
    return replace(claims, **changes)


def verifier(**options) -> TokenVerifier[UserClaims]:
    return TokenVerifier(FixedKeys(KEYS), UserClaims, **options)


def b64(data: bytes | str | dict) -> str:
    if isinstance(data, dict):
        data = json.dumps(data)
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


HEADER = {"alg": "RS256", "typ": "at+jwt", "kid": SIGNER.kid}


def token_of(header: dict | str, payload: dict | str, key=PRIVATE) -> str:
    """A token with a sound signature over whatever header and payload we like."""
    signed = f"{b64(header)}.{b64(payload)}"
    return f"{signed}.{b64(key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


def payload_of(**changes) -> dict:
    return user_claims().payload() | changes


async def refuse(token: str, **options) -> None:
    with pytest.raises(InvalidToken):
        await verifier(**options).verify(token)


async def test_a_signed_token_gives_the_same_claims_back():
    claims = user_claims(locations=frozenset({uuid4(), uuid4()}))

    assert await verifier().verify(SIGNER.sign(claims)) == claims


async def test_a_service_token_gives_the_same_claims_back():
    claims = service_claims()

    assert await TokenVerifier(FixedKeys(KEYS), ServiceClaims).verify(SIGNER.sign(claims)) == claims


async def test_the_probes_start_from_a_token_that_passes():
    """So that each refusal below is for its own reason."""
    assert await verifier().verify(token_of(HEADER, payload_of()))


@pytest.mark.asvs("C01")
@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "", "HS256", "RS384", "PS256", "ES256", 1])
async def test_only_the_fixed_algorithm_passes(alg):
    await refuse(token_of(HEADER | {"alg": alg}, payload_of()))


async def test_a_token_without_signature_is_refused():
    for alg in ("none", "RS256"):
        await refuse(f"{b64(HEADER | {'alg': alg})}.{b64(payload_of())}.")


PUBLIC = PRIVATE.public_key()
PUBLIC_FORMS = {
    "pem": PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "pkcs1": PUBLIC.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
    "der": PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "openssh": PUBLIC.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
    "jwk": json.dumps(public_jwks(PEM)["keys"][0]).encode(),
    "modulus": PUBLIC.public_numbers().n.to_bytes(256, "big"),
}


@pytest.mark.parametrize("form", PUBLIC_FORMS)
@pytest.mark.parametrize("alg", ["HS256", "RS256"])
async def test_the_public_key_is_no_shared_secret(form, alg):
    signed = f"{b64(HEADER | {'alg': alg})}.{b64(payload_of())}"
    forged = hmac.new(PUBLIC_FORMS[form], signed.encode(), hashlib.sha256).digest()

    await refuse(f"{signed}.{b64(forged)}")


async def test_an_elliptic_signature_is_refused():
    key = ec.generate_private_key(ec.SECP256R1())
    signed = f"{b64(HEADER)}.{b64(payload_of())}"

    await refuse(f"{signed}.{b64(key.sign(signed.encode(), ec.ECDSA(SHA256())))}")


async def test_another_key_under_our_kid_is_refused():
    await refuse(token_of(HEADER, payload_of(), key=OTHER))


@pytest.mark.asvs("C02")
@pytest.mark.parametrize(
    "extra",
    [
        {"jku": "http://127.0.0.1:9/keys"},
        {"x5u": "http://127.0.0.1:9/cert"},
        {"jwk": public_jwks(pem_of(OTHER))["keys"][0]},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
    ],
)
async def test_no_header_beyond_the_known_three_passes(extra):
    await refuse(token_of(HEADER | extra, payload_of()))


@pytest.mark.parametrize(
    "kid",
    ["../../dev/null", "' OR 1=1 --", "x" * 10_000, "unknown", "", None, 7, ["a"], {"a": 1}],
)
async def test_kid_only_names_a_key_we_hold(kid):
    await refuse(token_of(HEADER | {"kid": kid}, payload_of()))


@pytest.mark.parametrize("name", ["alg", "typ", "kid"])
async def test_every_header_is_needed(name):
    await refuse(token_of({k: v for k, v in HEADER.items() if k != name}, payload_of()))


@pytest.mark.parametrize("typ", ["JWT", "st+jwt", "AT+JWT", "rt+jwt", "application/at+jwt", "", 1])
async def test_a_token_of_another_kind_is_refused(typ):
    await refuse(token_of(HEADER | {"typ": typ}, payload_of()))


async def test_a_service_token_is_no_user_token_nor_the_other_way_round():
    await refuse(SIGNER.sign(service_claims()))
    with pytest.raises(InvalidToken):
        await TokenVerifier(FixedKeys(KEYS), ServiceClaims).verify(SIGNER.sign(user_claims()))


NOW = int(time.time())


@pytest.mark.asvs("C03")
@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - 1}, {"exp": str(NOW + 900)}, {"exp": NOW + 900.5}, {"exp": None},
        {"exp": True}, {"exp": -1}, {"exp": 10**30}, {"exp": [NOW + 900]},
        {"nbf": NOW + 86_400}, {"nbf": "0"}, {"nbf": None},
        {"iat": NOW + 86_400}, {"iat": str(NOW)}, {"iat": None}, {"auth_time": NOW + 86_400},
        {"iss": "someone"}, {"iss": ["stock-auth"]}, {"iss": None},
        {"aud": "stock-internal"}, {"aud": ["stock-api"]}, {"aud": None},
        {"sub": "admin"}, {"sub": 1}, {"sub": "{" + str(UUID(int=1)) + "}"},
        {"sub": str(uuid4()).upper().replace("-", "")}, {"sub": "\ud800"},
        {"tid": None}, {"sid": ""}, {"jti": 5}, {"ver": "3"}, {"ver": True}, {"ver": -1},
        {"role": "Admin"}, {"role": ""}, {"role": None}, {"role": "clerk\n"},
        {"scopes": "inventory:read"}, {"scopes": ["inventory"]}, {"scopes": [1]},
        {"scopes": None}, {"scopes": ["a:b"] * 201}, {"amr": None}, {"amr": [None]},
        {"lang": "de"}, {"lang": 1}, {"locations": "all"}, {"locations": ["here"]},
    ],
)  # fmt: skip
async def test_every_claim_has_its_type_and_range(changes):
    await refuse(token_of(HEADER, payload_of(**changes)))


@pytest.mark.parametrize("name", user_claims().payload())
async def test_every_claim_is_needed(name):
    payload = payload_of()
    del payload[name]

    await refuse(token_of(HEADER, payload))


async def test_infinity_is_no_expiry():
    text = json.dumps(payload_of()).replace('"exp": ', '"exp": 1e999, "old": ')

    await refuse(token_of(HEADER, text))
    await refuse(token_of(HEADER, text.replace("1e999", "Infinity")))
    await refuse(token_of(HEADER, text.replace("1e999", "9" * 5000)))


@pytest.mark.asvs("C06")
async def test_duplicate_members_are_refused():
    claims = json.dumps(payload_of())
    header = json.dumps(HEADER)

    await refuse(token_of(HEADER, claims[:-1] + ', "role": "admin"}'))
    await refuse(token_of(header[:-1] + ', "typ": "at+jwt"}', payload_of()))


@pytest.mark.parametrize("text", ["[]", "null", '"x"', "1", "", "{", "\ufeff{}", "{}{}"])
async def test_header_and_claims_are_json_objects(text):
    await refuse(token_of(text, payload_of()))
    await refuse(token_of(HEADER, text))


async def test_deep_nesting_is_refused_not_a_crash():
    for depth in (1_500, 100_000):
        await refuse(token_of("[" * depth, payload_of()))
        await refuse(token_of(HEADER, '{"a":' + "[" * depth))


async def test_a_token_above_four_kilobytes_is_refused():
    await refuse("a" * 4097)
    await refuse("a" * 1_000_000)
    await refuse(token_of(HEADER, payload_of(padding="x" * 4000)))


@pytest.mark.parametrize("token", ["", ".", "..", "...", "a.b", "a.b.c.d", "é.b.c", "\ud800.a.b"])
async def test_only_three_segments_of_ascii_are_a_token(token):
    await refuse(token)


@pytest.mark.asvs("C07")
async def test_another_spelling_of_a_valid_token_is_refused():
    """Python-jose takes all of these; a token has one spelling only."""
    token = token_of(HEADER, payload_of())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 256 bytes of signature leave four unused bits in the last character.
    twin = token[:-1] + alphabet[alphabet.index(token[-1]) + 1]
    assert jws.verify(twin, KEYS[SIGNER.kid], algorithms=["RS256"])

    await refuse(twin)
    for changed in (token + "==", token + "=", token + "\n", " " + token, token + " "):
        await refuse(changed)
    await refuse(token.replace("_", "/").replace("-", "+") + "+")
    header, payload, signature = token.split(".")
    await refuse(f"{header}.{payload[:5]}\n{payload[5:]}.{signature}")


async def test_a_flipped_character_anywhere_is_refused():
    token = token_of(HEADER, payload_of())
    check = verifier()
    for place in range(0, len(token), 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(InvalidToken):
            await check.verify(changed)


async def test_random_text_never_escapes_as_another_error():
    randomness = random.Random(11)  # noqa: S311  Fuzz, not secrets.
    sound = token_of(HEADER, payload_of())
    check = verifier()
    for _ in range(2_000):
        letters = list(sound)
        for _ in range(randomness.randrange(1, 6)):
            letters[randomness.randrange(len(letters))] = chr(randomness.randrange(1, 0x250))
        if letters == list(sound):
            continue
        with pytest.raises(InvalidToken):
            await check.verify("".join(letters))


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def test_a_remembered_token_ends_when_it_expires():
    clock = Clock(time.time())
    check = verifier(clock=clock)
    token = SIGNER.sign(user_claims(exp=int(clock.now) + 10))
    await check.verify(token)

    clock.now += 11

    with pytest.raises(InvalidToken):
        await check.verify(token)


async def test_a_remembered_token_is_not_verified_again(monkeypatch):
    check = verifier()
    token = SIGNER.sign(user_claims())
    first = await check.verify(token)
    monkeypatch.setattr("shared.security.tokens.jws.verify", None)

    assert await check.verify(token) is first


async def test_the_cache_is_bounded():
    check = verifier(cache_size=3)
    for _ in range(5):
        await check.verify(SIGNER.sign(user_claims()))

    assert len(check._cache) == 3


async def test_refused_tokens_are_not_remembered():
    check = verifier()
    with pytest.raises(InvalidToken):
        await check.verify(token_of(HEADER, payload_of(aud="x")))

    assert not check._cache


async def test_a_withdrawn_key_ends_the_tokens_it_signed():
    keys = FixedKeys(KEYS)
    check = TokenVerifier(keys, UserClaims)
    token = SIGNER.sign(user_claims())
    await check.verify(token)

    keys._keys.clear()
    keys.generation += 1

    with pytest.raises(InvalidToken):
        await check.verify(token)


def test_the_published_set_holds_public_members_only():
    entry = public_jwks(PEM)["keys"][0]

    assert entry.keys() == {"kty", "kid", "alg", "use", "n", "e"}
    assert entry["kid"] == SIGNER.kid


@pytest.mark.asvs("C18")
def test_a_weak_or_foreign_signing_key_is_refused():
    elliptic = ec.generate_private_key(ec.SECP256R1())
    public = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for pem in (pem_of(SHORT), pem_of(elliptic), public, "secret", ""):
        with pytest.raises(ValueError, match="signing key"):
            TokenSigner(pem)


def test_unusable_entries_of_a_key_set_are_left_out():
    sound = public_jwks(PEM)["keys"][0]
    short = jwk.construct(pem_of(SHORT), "RS256")
    entries = [
        sound | {"kty": "EC"}, sound | {"alg": "HS256"}, sound | {"use": "enc"},
        sound | {"kid": "../x"}, sound | {"kid": 3}, sound | {"n": "AA"}, sound | {"n": 5},
        sound | {"e": "!"}, {}, None, "x",
        sound | {"kid": "short", "n": short.public_key().to_dict()["n"]},
    ]  # fmt: skip

    assert load_jwks({"keys": [*entries, sound]}).keys() == {SIGNER.kid}
    for document in (None, [], {}, {"keys": 1}, {"keys": {}}):
        assert load_jwks(document) == {}
