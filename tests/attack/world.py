"""The people and things of the attacked system: a tenant to attack, and others to attack from."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pyotp

from tests.support.authenticator import STEP_S, Authenticators
from tests.support.passkey import SoftPasskey
from tests.support.stack import Stack
from tests.support.waiting import PATIENCE_S, eventually

ORIGIN = "https://shop.example"
COST = "7391.4273"
PROVED_S = 120  # Of five minutes: the rest is for the test that follows.
DAYS = 40  # Of history, from which a forecast can be made.

Client = httpx.AsyncClient


@asynccontextmanager
async def client_from(url: str, address: str = "127.0.0.1") -> AsyncIterator[Client]:
    """Give a client that calls from this address of loopback."""
    limits = httpx.Limits(max_connections=64)
    transport = httpx.AsyncHTTPTransport(local_address=address, limits=limits)
    async with httpx.AsyncClient(base_url=url, transport=transport, timeout=PATIENCE_S) as opened:
        yield opened


@dataclass
class Person:
    """Somebody signed in."""

    email: str
    tenant: str
    password: str
    id: str
    access: str
    refresh: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.email, "tenant": self.tenant, "password": self.password}


@dataclass
class Tenant:
    """A tenant with its administrator; `things` are what paths and bodies may name."""

    slug: str
    id: str
    boss: Person
    authenticators: Authenticators
    things: dict[str, str] = field(default_factory=dict)
    proved_at: float = field(default_factory=time.monotonic)
    _directory_key: str = ""

    async def directory(self, client: Client) -> dict[str, str]:
        """Return the headers of a directory that may add the tenant's people."""
        if not self._directory_key:
            wanted = {"name": "directory", "scopes": ["user:provision"]}
            made = await post(client, self.boss, "/api/auth/api-keys", wanted)
            self._directory_key = made["key"]
        return {"Authorization": f"Bearer {self._directory_key}"}


@dataclass
class World:
    """The attacked tenant, and everybody who attacks it."""

    stack: Stack
    client: Client
    victim: Tenant
    attacker: Tenant
    people: dict[str, Person] = field(default_factory=dict)  # Of the attacker's, by role.

    async def new_tenant(self, client: Client | None = None) -> Tenant:
        """Make a tenant whose administrator has just proved who he is."""
        return await _new_tenant(self.stack, client or self.client)

    async def stay_proved(self) -> None:
        """Let the administrators sign in anew before their proof is too old for dangerous acts."""
        for tenant in (self.victim, self.attacker):
            if time.monotonic() - tenant.proved_at > PROVED_S:
                tenant.boss = await _sign_in(
                    self.client, tenant.boss.credentials, tenant.authenticators
                )
                tenant.proved_at = time.monotonic()
        self.people["admin"] = self.attacker.boss


async def made_world(stack: Stack, client: Client) -> World:
    """Make both tenants, and in that of the attackers things and somebody in each role."""
    victim, attacker = [await _new_tenant(stack, client) for _ in range(2)]
    world = World(stack, client, victim, attacker)
    world.people["admin"] = attacker.boss
    for role in ("manager", "clerk", "viewer", "auditor"):
        world.people[role] = await new_person(client, attacker, role)
    await fill_own(client, attacker)
    return world


async def new_person(client: Client, tenant: Tenant, role: str) -> Person:
    """Add somebody to a tenant and sign him in."""
    email, password = f"{role}-{uuid4().hex[:8]}@example.com", f"pass-{uuid4().hex}"
    wanted = {"email": email, "password": password, "role": role}
    await post(client, tenant.boss, "/api/users", wanted | {"password_change_required": False})
    credentials = {"email": email, "tenant": tenant.slug, "password": password}
    return await _sign_in(client, credentials)


async def enrolled(client: Client, person: Person) -> tuple[pyotp.TOTP, list[str]]:
    """Give somebody a second factor, by the earliest code that counts; return it, and the codes."""
    setup = await client.post("/api/auth/2fa/setup", headers=person.headers)
    assert setup.status_code == 200, setup.text
    totp = pyotp.TOTP(setup.json()["secret"])
    first = totp.generate_otp(int(datetime.now(UTC).timestamp()) // STEP_S - 1)
    done = await post(client, person, "/api/auth/2fa/verify", {"code": first})
    return totp, done["recovery_codes"]


async def post(client: Client, person: Person, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post what must be accepted, and return the answer."""
    answer = await client.post(path, json=body, headers=person.headers)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _sign_in(
    client: Client, credentials: dict[str, str], authenticators: Authenticators | None = None
) -> Person:
    answer = await (authenticators or Authenticators()).sign_in(client, credentials)
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    me = await client.get("/api/auth/me", headers=headers)
    return Person(
        **credentials,
        id=me.json()["id"],
        access=tokens["access_token"],
        refresh=tokens["refresh_token"],
    )


async def _new_tenant(stack: Stack, client: Client) -> Tenant:
    slug, password = f"t-{uuid4().hex[:12]}", f"pass-{uuid4().hex}"
    email = f"boss-{slug}@example.com"
    wanted = {
        "name": slug,
        "slug": slug,
        "admin_email": email,
        "admin_password": password,
        "admin_password_change_required": False,
    }
    made = await client.post("/api/tenants", json=wanted, headers=await stack.sign_in(client))
    assert made.status_code == 201, made.text
    credentials = {"email": email, "tenant": slug, "password": password}
    authenticators = Authenticators()
    boss = await _sign_in(client, credentials, authenticators)
    return Tenant(slug, made.json()["id"], boss, authenticators)


async def fill(client: Client, tenant: Tenant) -> None:
    """Give the victim one of everything that can be named."""
    boss, mark = tenant.boss, uuid4().hex[:8]
    await fill_own(client, tenant, mark)
    invited = {"email": f"guest-{mark}@example.com", "role": "clerk"}
    key = {"name": f"Key {mark}", "scopes": ["inventory:read"]}
    clerk = await new_person(client, tenant, "clerk")
    invitation = await post(client, boss, "/api/invitations", invited)
    sessions = await client.get("/api/auth/sessions", headers=boss.headers)
    code = tenant.things["item_code"]
    tenant.things |= {
        "tenant_id": tenant.id,
        "user_id": clerk.id,
        "email": clerk.email,
        "invitation": invitation["user"]["id"],
        "key_id": (await post(client, boss, "/api/auth/api-keys", key))["id"],
        "session_id": sessions.json()["items"][0]["id"],
        "passkey_id": await _passkey_of(client, boss),
        **await _trained(client, boss, code),
    }


async def fill_own(client: Client, tenant: Tenant, mark: str = "") -> None:
    """Give a tenant an item, in a category and at a place, with some weeks of history."""
    boss, mark = tenant.boss, mark or uuid4().hex[:8]
    category = {"name": {"en": f"Kind {mark}", "fr": f"Sorte {mark}"}}
    category_id = (await post(client, boss, "/api/categories", category))["id"]
    place = {"name": f"Place {mark}", "type": "warehouse"}
    place_id = (await post(client, boss, "/api/locations", place))["id"]
    item = {
        "code": f"C-{mark}",
        "name": f"Thing {mark}",
        "unit_cost": COST,
        "category": category_id,
    }
    item_id = (await post(client, boss, "/api/inventory", item))["id"]
    await post(client, boss, "/api/inventory/movements/bulk", _history(item, place))
    await post(client, boss, "/api/inventory", other := {"code": f"F-{mark}", "name": "Frozen"})
    receipt = {"kind": "receipt", "item": other["code"], "location": place_id, "quantity": "5"}
    movement_id = (await post(client, boss, "/api/inventory/movements", receipt))["id"]
    planning = f"/api/inventory/{item_id}/planning/{place_id}"
    planned = await client.put(planning, json={"par_level": "9"}, headers=boss.headers)
    assert planned.is_success, planned.text
    for name, kind in ((f"Goal {mark}", "warehouse"), (f"Road {mark}", "transit")):
        await post(client, boss, "/api/locations", {"name": name, "type": kind})
    transfer = {"item": other["code"], "location": place_id, "quantity": "1"}
    transfer |= {"to_location": f"Goal {mark}"}
    transfer_id = (await post(client, boss, "/api/inventory/transfers", transfer))["id"]
    tracked = {"code": f"L-{mark}", "name": "Tracked", "tracking": "lot"}
    tracked_id = (await post(client, boss, "/api/inventory", tracked))["id"]
    lot = {"kind": "receipt", "item": tracked["code"], "location": place_id, "lot": f"LOT-{mark}"}
    await post(client, boss, "/api/inventory/movements", lot | {"quantity": "5"})
    lots = await client.get(f"/api/inventory/{tracked_id}/lots", headers=boss.headers)
    [lot_id] = [each["id"] for each in lots.json()["items"]]
    kit = {"item": tracked["code"], "components": [{"item": item["code"], "quantity": "1"}]}
    kit_id = (await post(client, boss, "/api/inventory/kits", kit))["id"]
    closed = {"last_day": (datetime.now(UTC) - timedelta(days=DAYS + 9)).date().isoformat()}
    period_id = (await post(client, boss, "/api/inventory/periods", closed))["id"]
    freeze = {"scope": "item", "item": other["code"], "reason": "To be attacked."}
    freeze_id = (await post(client, boss, "/api/inventory/freezes", freeze))["id"]
    line = {"item": item["code"], "location": place_id, "quantity": "1"}
    held = {"lines": [line], "reference": f"R-{mark}"}
    reservation_id = (await post(client, boss, "/api/inventory/reservations", held))["id"]
    counted = {"locations": [place_id]}
    count_id = (await post(client, boss, "/api/inventory/counts", counted))["id"]
    broken = line | {"kind": "write_off", "reason_code": "damaged"}
    approval_id = (await post(client, boss, "/api/inventory/movements", broken))["id"]
    held_on = await post(client, boss, "/api/legal-holds", {"reason": "To be attacked."})
    hook = {"url": "https://hooks.example.com/x", "event_types": ["inventory.freeze-lifted.v1"]}
    hook_id = (await post(client, boss, "/api/webhooks", hook))["id"]
    sent = await post(client, boss, f"/api/webhooks/{hook_id}/ping", {})
    tenant.things |= {
        "freeze_id": freeze_id, "period_id": period_id,
        "movement_id": movement_id, "transfer_id": transfer_id, "reservation_id": reservation_id,
        "approval_id": approval_id, "kit_id": kit_id, "lot_id": lot_id, "lot": f"LOT-{mark}",
        "count_id": count_id, "serial": await _serial_of(client, boss, place_id, mark),
        "hold_id": held_on["id"], "webhook_id": hook_id, "event_id": sent["event_id"],
        "category_id": category_id, "category": f"Kind {mark}",
        "location_id": place_id, "name": place["name"],
        "item_id": item_id, "code": item["code"], "item_code": item["code"],
    }  # fmt: skip


async def _serial_of(client: Client, boss: Person, place_id: str, mark: str) -> str:
    """Have a unit with a serial number received, and return that."""
    item = {"code": f"N-{mark}", "name": "Numbered", "tracking": "serial"}
    await post(client, boss, "/api/inventory", item)
    serial = f"SN-{mark}"
    receipt = {"kind": "receipt", "item": item["code"], "location": place_id, "serials": [serial]}
    await post(client, boss, "/api/inventory/movements", receipt)
    return serial


def _history(item: dict[str, str], place: dict[str, str]) -> dict[str, Any]:
    """Return a receipt and an issue a day since."""
    now = datetime.now(UTC)
    where = {"item": item["code"], "location": place["name"]}
    lines = [
        where
        | {
            "kind": "issue" if day else "receipt",
            "quantity": str(day % 7 + 1) if day else "1000",
            "occurred_at": (now - timedelta(days=DAYS - day, minutes=5)).isoformat(),
        }
        for day in range(DAYS)
    ]
    return {"mode": "atomic", "lines": lines}


async def _trained(client: Client, boss: Person, code: str) -> dict[str, str]:
    """Train on the item as soon as forecasting has followed its history; return job and model."""
    job: dict[str, Any] | None = None

    async def done() -> dict[str, str] | None:
        nonlocal job
        if job is None or job["finished_at"]:
            asked = await client.post(
                "/api/ai/forecast/train", json={"item_code": code}, headers=boss.headers
            )
            job = asked.json() if asked.is_success else None
            return None
        job = (await client.get(f"/api/ai/jobs/{job['id']}", headers=boss.headers)).json()
        models = await client.get("/api/ai/models/list", headers=boss.headers)
        found = models.json()["models"]
        return {"job_id": job["id"], "model_id": found[0]["id"]} if found else None

    found: dict[str, str] = await eventually(done)
    return found


async def _passkey_of(client: Client, boss: Person) -> str:
    setup = await post(client, boss, "/api/auth/passkeys/setup", {})
    credential = SoftPasskey().create(setup["options"])
    wanted = {"name": "Phone", "credential": credential}
    made = await post(client, boss, "/api/auth/passkeys/verify", wanted)
    return str(made["passkey"]["id"])
