"""Tokens that were forged, altered, stolen, or meant for something else."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from copy import deepcopy
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from shared.security.claims import ServiceClaims
from shared.security.tokens import TokenSigner, thumbprint
from tests.attack.attempts import shown
from tests.attack.world import Client, Person, World, new_person
from tests.support.stack import Stack
from tests.support.through_gateway import prove
from tests.support.waiting import pause

ASKED = ("/api/auth/me", "/api/inventory", "/api/ai/jobs", "/api/dashboard/stats")


def encoded(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(segment: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=="))
    return found


class Forge:
    """Makes tokens from a real one, by the real key and by others."""

    def __init__(self, stack: Stack, token: str) -> None:
        head, body, self.signature = token.split(".")
        self.head, self.claims = decoded(head), decoded(body)
        self.token = token
        pem = str(stack.secrets["JWT_PRIVATE_KEY"]).replace("\\n", "\n").encode()
        self.key = serialization.load_pem_private_key(pem, None)
        assert isinstance(self.key, rsa.RSAPrivateKey)
        self.other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def signed(self, head: object, claims: object, key: rsa.RSAPrivateKey | None = None) -> str:
        """Return a token of this header and these claims, signed as RS256 by the real key."""
        text = f"{encoded(head)}.{encoded(claims)}"
        signature = (key or self.key).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{encoded(signature)}"

    def hashed(self, head: object, secret: bytes, kind: str = "sha256") -> str:
        """Return a token whose signature is a hash with a secret that is no secret."""
        text = f"{encoded(head)}.{encoded(self.claims)}"
        return f"{text}.{encoded(hmac.digest(secret, text.encode(), kind))}"

    def public_forms(self) -> Iterator[bytes]:
        """Give the public key in every form that a library may take for a secret."""
        public = self.key.public_key()
        numbers = public.public_numbers()
        pem = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        yield public.public_bytes(*pem)
        yield public.public_bytes(*pem).strip()
        yield public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
        yield public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        yield public.public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        yield numbers.n.to_bytes(256)
        yield str(self.head["kid"]).encode()
        yield b""

    def of_other_algorithms(self) -> Iterator[tuple[str, str]]:
        """Give tokens that leave the choice of the algorithm to who made them."""
        text = encoded(self.claims)
        for none in ("none", "None", "NONE", "nOnE", "", None):
            head = encoded(self.head | {"alg": none})
            for signature in ("", "AA", self.signature):
                yield f"alg {none}", f"{head}.{text}.{signature}"
        for number, secret in enumerate(self.public_forms()):
            for alg, kind in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
                yield (
                    f"{alg}, public key in form {number}",
                    self.hashed(self.head | {"alg": alg}, secret, kind),
                )
            yield f"RS256 as a hash, form {number}", self.hashed(self.head, secret)
        for alg in ("RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", ["RS256"], 256):
            yield f"alg {alg}, signed as RS256", self.signed(self.head | {"alg": alg}, self.claims)
        for head in (self.head, self.head | {"alg": "ES256"}):
            key = ec.generate_private_key(ec.SECP256R1())
            part = f"{encoded(head)}.{text}"
            signature = key.sign(part.encode(), ec.ECDSA(hashes.SHA256()))
            yield "an elliptic key", f"{part}.{encoded(signature)}"

    def of_other_keys(self) -> Iterator[tuple[str, str]]:
        """Give tokens signed by a key that came with them, or that nobody knows."""
        numbers = self.other.public_key().public_numbers()
        own = {
            "kty": "RSA",
            "n": encoded(numbers.n.to_bytes(256)),
            "e": encoded(numbers.e.to_bytes(3)),
        }
        kid = thumbprint(own)
        for name, more in (
            ("the same kid", {}),
            ("its own kid", {"kid": kid}),
            ("jwk", {"jwk": own | {"kid": kid, "alg": "RS256", "use": "sig"}, "kid": kid}),
            ("jku", {"jku": "http://127.0.0.1:9/keys", "kid": kid}),
            ("x5u", {"x5u": "http://127.0.0.1:9/certificate"}),
            ("x5c", {"x5c": ["MIIB"]}),
            ("a path as kid", {"kid": "../../../../dev/null"}),
            ("SQL as kid", {"kid": "' OR '1'='1"}),
            ("a long kid", {"kid": "k" * 2_000}),
            ("no kid", {"kid": None}),
        ):
            yield name, self.signed(self.head | more, self.claims, self.other)

    def of_other_claims(self) -> Iterator[tuple[str, str]]:
        """Give tokens with the right signature whose claims are wrong."""
        now = int(time.time())
        for name, more in (
            ("another audience", {"aud": "stock-internal"}),
            ("the audience among others", {"aud": ["stock-api", "other"]}),
            ("another issuer", {"iss": "https://evil.example"}),
            ("expired", {"exp": now - 1, "iat": now - 900, "auth_time": now - 900}),
            ("expired as text", {"exp": str(now + 900)}),
            ("ending at infinity", {"exp": float("inf")}),
            ("ending at half a second", {"exp": now + 900.5}),
            ("not valid yet", {"nbf": now + 600}),
            ("issued in the future", {"iat": now + 600}),
            ("no proof of when", {"auth_time": None}),
            ("no person", {"sub": "admin"}),
        ):
            yield name, self.signed(self.head, self.claims | more)
        for missing in ("aud", "iss", "exp", "iat", "sub", "tid", "sid", "ver", "auth_time"):
            claims = {name: value for name, value in self.claims.items() if name != missing}
            yield f"without {missing}", self.signed(self.head, claims)
        for typ in ("JWT", "jwt", "st+jwt", "enrol+jwt", "", None):
            yield f"type {typ}", self.signed(self.head | {"typ": typ}, self.claims)
        yield (
            "an unknown crit",
            self.signed(self.head | {"crit": ["exp"], "b64": False}, self.claims),
        )

    def edited(self) -> Iterator[tuple[str, str]]:
        """Give the real token with something changed or added."""
        head, body, signature = self.token.split(".")
        for name, more in (
            ("role", {"role": "admin"}),
            ("scopes", {"scopes": ["user:manage", "tenant:manage"]}),
            ("tenant", {"tid": str(uuid4())}),
            ("person", {"sub": str(uuid4())}),
            ("end", {"exp": self.claims["exp"] + 86_400}),
        ):
            yield f"edited {name}", f"{head}.{encoded(self.claims | more)}.{signature}"
        yield "padded", f"{self.token}=="
        yield "stray bits", self.token[:-1] + chr(ord(self.token[-1]) + 1)
        yield "cut", self.token[:-3]
        yield "four parts", f"{self.token}.AA"
        yield "two parts", f"{head}.{body}"
        yield "a line end", f"{head}.{body}.{signature[:10]}%0A{signature[10:]}"
        yield "deep", f"{encoded(b'[' * 1_500)}.{body}.{signature}"
        yield "large", f"{head}.{encoded(b' ' * 9_000)}.{signature}"
        doubled = json.dumps(self.claims)[:-1] + ', "role": "admin"}'
        yield "a claim twice", self.signed(self.head, doubled.encode())


@pytest.fixture
async def forge(stack: Stack, world: World) -> Forge:
    viewer = await new_person(world.client, world.attacker, "viewer")
    return Forge(stack, viewer.access)


async def present(client: Client, token: str, path: str = ASKED[0]):
    return await client.get(path, headers={"Authorization": f"Bearer {token}".strip()})


@pytest.mark.asvs("C01", "C02", "C03", "C05", "C06", "C07")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("algorithm confusion", "of_other_algorithms"),
        ("keys of one's own", "of_other_keys"),
        ("claims that are wrong", "of_other_claims"),
        ("edited and misspelt", "edited"),
    ],
)
async def test_forged_tokens(attempts, client, stack, forge, name, kind):
    """At the gateway, and at a service by whoever could pass for the gateway."""
    good = forge.signed(forge.head, deepcopy(forge.claims))
    assert (await present(client, good)).status_code == 200  # So it is the change that is refused.
    key = str(stack.secrets["GATEWAY_KEY"])

    async def prove_each(request):
        prove(request, key=key)

    base = f"http://127.0.0.1:{stack.port('auth')}"
    with attempts.of(f"tokens: {name}") as attack:
        async with Client(base_url=base, event_hooks={"request": [prove_each]}) as inside:
            assert (await present(inside, good)).status_code == 200
            for what, token in getattr(forge, kind)():
                for place, asked in (("gateway", client), ("service", inside)):
                    answer = await present(asked, token)
                    attack.expect(answer, 401, what=f"{what} at the {place}")


def service_token(stack: Stack, **claims: Any) -> str:
    """Return a service's token as auth gives it."""
    now = int(time.time())
    known = {"sub": "gateway", "target": "auth", "scopes": frozenset({"journal:read"})}
    pem = str(stack.secrets["JWT_PRIVATE_KEY"]).replace("\\n", "\n")
    return TokenSigner(pem).sign(
        ServiceClaims(jti=uuid4(), iat=now, exp=now + 300, **{**known, **claims})
    )


@pytest.mark.asvs("C04", "C05")
async def test_tokens_of_another_purpose(attempts, client, stack, world):
    person = await new_person(world.client, world.attacker, "manager")
    key = {"name": "scanner", "scopes": ["inventory:read"]}
    made = await client.post("/api/auth/api-keys", json=key, headers=person.headers)
    secrets = stack.secrets
    with attempts.of("tokens: of another purpose, from outside") as attack:
        for what, token in (
            ("a refresh token", person.refresh),
            ("a service's token", service_token(stack)),
            ("one for inventory", service_token(stack, target="inventory")),
            ("a service's secret", str(secrets["GATEWAY_CLIENT_SECRET"])),
            ("the proof's key", str(secrets["GATEWAY_KEY"])),
            ("the key of metrics", str(secrets["METRICS_TOKEN"])),
            ("an API key's id", made.json()["id"]),
            ("an API key cut short", made.json()["key"][:-1]),
            ("an API key of another case", made.json()["key"].swapcase()),
            ("nothing", ""),
        ):
            for path in ASKED:
                attack.expect(await present(client, token, path), 401, what=what)
    with attempts.of("tokens: a user's at internal paths") as attack:
        for service in ("auth", "inventory", "forecasting", "reporting"):
            base = f"http://127.0.0.1:{stack.port(service)}"
            for token in (person.access, service_token(stack, target="nobody"), ""):
                async with Client(base_url=base) as inside:
                    answer = await present(inside, token, "/internal/journal")
                    attack.expect(answer, 401, what=service)


@pytest.mark.asvs("B04", "C04")
async def test_an_enrolment_token_anywhere_else(attempts, client, world, document):
    """Of an administrator who has yet to set a factor up: only finishing the sign-in is open."""
    token = await enrolment_token(client, world)
    headers = {"Authorization": f"Bearer {token}"}
    with attempts.of("tokens: for enrolment, at every operation") as attack:
        for operation in document.operations:
            if operation.is_public or operation.enrolling:
                continue
            path = operation.at({name: str(uuid4()) for name in operation.parameters})
            answer = await client.request(operation.method, path, headers=headers)
            attack.expect(answer, 401)


async def enrolment_token(client: Client, world: World) -> str:
    slug = f"t-{uuid4().hex[:12]}"
    email, password = "boss@example.com", f"pass-{uuid4().hex}"
    wanted = {"name": slug, "slug": slug, "admin_email": email, "admin_password": password}
    platform = await world.stack.sign_in(world.client)
    made = await client.post(
        "/api/tenants", json=wanted | {"admin_password_change_required": False}, headers=platform
    )
    assert made.status_code == 201, made.text
    credentials = {"email": email, "tenant": slug, "password": password}
    answer = await client.post("/api/auth/login", json=credentials)
    token: str = answer.json()["enrolment_token"]
    return token


async def accepted_for_s(client: Client, token: str) -> float:
    """Return until when the gateway lets a token in, in seconds from now: see `last_began_s`.

    Asked of another service than auth, which judges its callers itself.
    """
    began, asked_s, accepted = time.monotonic(), 0.0, []
    while asked_s < GIVEN_UP_S:
        asked_s = time.monotonic() - began
        answer = await present(client, token, "/api/inventory")
        if answer.status_code == 401:
            break
        if answer.is_success:
            accepted.append((asked_s, time.monotonic() - began - asked_s))
        await pause(0.01)
    return last_began_s(accepted)


def last_began_s(accepted: list[tuple[float, float]]) -> float:
    """Return when the last of these requests began, of which each began and took so many seconds.

    Less what one takes: the gateway learns by a request of its own. That is next to nothing,
    unless the machine is busy with other things.
    """
    if not accepted:
        return 0
    return max(began for began, _ in accepted) - median(took for _, took in accepted)


@pytest.mark.asvs("C08", "C07")
async def test_tokens_that_were_revoked(attempts, client, world):
    with attempts.of("tokens: after they were revoked") as attack:
        for what, end in (
            ("signed out", sign_out),
            ("session ended", end_session),
            ("locked", lock),
            ("role changed", demote),
        ):
            accepted_s = []
            for _ in range(TIMES):
                person = await new_person(world.client, world.attacker, "manager")
                before = await present(client, person.access)
                assert before.status_code == 200
                answer = await end(client, person, world.attacker.boss)
                assert answer.is_success, shown(answer)
                accepted_s.append(await accepted_for_s(client, person.access))
                for path in ASKED:
                    attack.expect(await present(client, person.access, path), 401, what=what)
            told = f"{what}: let in for {', '.join(f'{s:.2f}' for s in accepted_s)} s"
            attack.note(median(accepted_s) <= REVOKED_WITHIN_S, told)
            again = {"refresh_token": person.refresh}
            refreshed = await client.post("/api/auth/refresh", json=again)
            if refreshed.is_success and what == "role changed":  # It gives the new role alone.
                claims = decoded(refreshed.json()["access_token"].split(".")[1])
                attack.note(claims["role"] == "viewer", f"{what}: {claims}")
            else:
                attack.expect(refreshed, 401, what=what)


REVOKED_WITHIN_S = 1.0
TIMES = 3  # Each way to revoke, of which the median counts.
GIVEN_UP_S = 10.0


async def sign_out(client: Client, person: Person, _boss: Person):
    return await client.post("/api/auth/logout", json={"all": True}, headers=person.headers)


async def end_session(client: Client, person: Person, _boss: Person):
    listed = await client.get("/api/auth/sessions", headers=person.headers)
    session = listed.json()["items"][0]["id"]
    return await client.delete(f"/api/auth/sessions/{session}", headers=person.headers)


async def lock(client: Client, person: Person, boss: Person):
    return await client.post(f"/api/users/{person.id}/lock", headers=boss.headers)


async def demote(client: Client, person: Person, boss: Person):
    path = f"/api/users/{person.id}"
    return await client.patch(path, json={"role": "viewer"}, headers=boss.headers)
