"""Controls that can be taken out of a copy, each by a small change, and what must notice it.

Where one control has another behind it, so that without it nothing could be seen from outside, the
change takes both out, and says so.
"""

from dataclasses import dataclass

from tests.support.scratch import Change


@dataclass(frozen=True)
class Control:
    """What is taken out, the tests that are run, and the attack that must then get through."""

    name: str
    tests: str
    attack: str
    changes: tuple[Change, ...]


TOKENS, CLAIMS = "shared/security/tokens.py", "shared/security/claims.py"
SESSIONS, FACTORS = "services/auth/sessions", "services/auth/factors"
FORBID = (
    'ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)\n\n    @classmethod\n'
    "    def __get_pydantic_core_schema__"
)

CONTROLS = (
    Control(
        "tokens: RS256 alone (the header's check, and the library's list)",
        "test_tokens.py::test_forged_tokens[algorithm confusion-of_other_algorithms]",
        "tokens: algorithm confusion",
        (
            Change(TOKENS, 'header.get("alg") != ALGORITHM or header', "header"),
            Change(
                TOKENS,
                "jws.verify(token, key, algorithms=[ALGORITHM])",
                "jws.verify(token, key, algorithms=None)",
            ),
        ),
    ),
    Control(
        "tokens: the signature",
        "test_tokens.py::test_forged_tokens[keys of one's own-of_other_keys]",
        "tokens: keys of one's own",
        (
            Change(
                TOKENS,
                "jws.verify(token, key, algorithms=[ALGORITHM])",
                '_decode(token.split(".")[1])',
            ),
        ),
    ),
    Control(
        "tokens: the audience",
        "test_tokens.py::test_forged_tokens[claims that are wrong-of_other_claims]",
        "tokens: claims that are wrong",
        (Change(CLAIMS, 'if claims.get("aud") != audience:', "if audience is None:"),),
    ),
    Control(
        "tokens: the issuer",
        "test_tokens.py::test_forged_tokens[claims that are wrong-of_other_claims]",
        "tokens: claims that are wrong",
        (Change(CLAIMS, 'if claims.get("iss") != ISSUER:', "if not ISSUER:"),),
    ),
    Control(
        "tokens: their end",
        "test_tokens.py::test_forged_tokens[claims that are wrong-of_other_claims]",
        "tokens: claims that are wrong",
        (Change(CLAIMS, "    if exp <= now:", "    if exp < 0:"),),
    ),
    Control(
        "tokens: revocation at the gateway",
        "test_tokens.py::test_tokens_that_were_revoked",
        "tokens: after they were revoked",
        (Change("gateway/identity.py", " or self._revocations.cover(claims):", ":"),),
    ),
    Control(
        "refresh: one statement compares and counts on (here: two that race)",
        "test_sessions.py::test_many_at_once",
        "refresh: fifty at once, one successor",
        (
            Change(
                f"{SESSIONS}/queries.py",
                "UserSession.counter == counter,",
                "UserSession.counter >= counter,",
            ),
            Change(
                f"{SESSIONS}/queries.py",
                "counter=counter + 1, refreshed",
                "counter=UserSession.counter + 1, refreshed",
            ),
        ),
    ),
    Control(
        "refresh: reuse ends the family",
        "test_sessions.py::test_used_again",
        "refresh: an old token, and all of its family",
        (
            Change(
                f"{SESSIONS}/service/refresh.py",
                "    await _revoke_for_reuse(session, found, token, now)\n",
                "",
            ),
        ),
    ),
    Control(
        "second factor: a code once (the rule, and the statement that spends it)",
        "test_factors.py::test_a_code_twice",
        "second factor: a code used again",
        (
            Change(f"{FACTORS}/rules.py", " and step > last_step", ""),
            Change(f"{FACTORS}/queries.py", ", Authenticator.last_step < step", ""),
        ),
    ),
    Control(
        "second factor: a recovery code once",
        "test_factors.py::test_recovery_codes",
        "second factor: a recovery code used again",
        (
            Change(
                f"{FACTORS}/queries.py",
                "            RecoveryCode.used_at.is_(None),\n        )\n        .values",
                "        )\n        .values",
            ),
        ),
    ),
    Control(
        "sign-in: attempts are counted",
        "test_accounts.py::test_guessing_a_password",
        "passwords: guessed from many addresses at once",
        (
            Change(
                "services/auth/throttle/service.py",
                "    if verdict.allowed:\n        return None\n    metrics.throttled.labels(kind)",
                "    if verdict:\n        return None\n    metrics.throttled.labels(kind)",
            ),
        ),
    ),
    Control(
        "sign-in: an unknown account costs a hash too",
        "test_accounts.py::test_times_tell_nobody",
        "enumeration: by the time that it takes",
        (
            Change(
                f"{SESSIONS}/service/proof.py",
                "matches = await vault.passwords.verify(",
                "matches = user is not None and await vault.passwords.verify(",
            ),
        ),
    ),
    Control(
        "tenants: row-level security",
        "test_tenants.py::test_every_path_that_names_a_thing",
        "crossing tenants: paths of every operation",
        (
            Change(
                "shared/migrations/foundation.py",
                'f"USING (tenant_id = (SELECT {TENANT}))"\n    )\n    op.execute(f"CREATE POLICY o',
                # Of all tables at once, nothing could be prepared: one row of a tenant's own
                # would be one of several.
                '+ ("USING (true)" if table in {"items", "users", "kits"} else '
                'f"USING (tenant_id = (SELECT {TENANT}))")\n    )\n'
                '    op.execute(f"CREATE POLICY o',
            ),
        ),
    ),
    Control(
        "roles: the scope, at the service",
        "test_roles.py::test_every_operation_with_every_role",
        "roles: every operation with every role",
        (
            Change(
                "shared/web/permissions.py",
                "if self.scope is not None and self.scope not in caller.scopes:",
                "if self.scope is not None and caller is None:",
            ),
        ),
    ),
    Control(
        "bodies: no field that is not declared",
        "test_bodies.py::test_fields_that_a_body_does_not_declare",
        "mass assignment: every body, every object in it",
        (
            Change(
                "shared/schemas.py",
                FORBID,
                FORBID.replace("forbid", "ignore"),
            ),
        ),
    ),
    Control(
        "services: the gateway's proof",
        "test_front_door.py::test_services_without_the_gateway",
        "direct: a service's own port, and a worker's",
        (
            Change(
                "shared/web/middleware.py",
                "if self.proof is None or not scope",
                "if self.proof or not scope",
            ),
        ),
    ),
    Control(
        "gateway: what others say of the caller does not pass",
        "test_front_door.py::test_forged_headers",
        "forged headers: who one is",
        (
            Change(
                "gateway/headers.py",
                'in _FORGEABLE or name.startswith(b"x-") or b"_" in name)',
                "in {b'host', b'traceparent'})",
            ),
        ),
    ),
    Control(
        "gateway: a path has one reading",
        "test_wire.py::test_paths",
        "paths with two readings",
        (Change("gateway/app.py", "        check_path(call.path)\n", ""),),
    ),
    Control(
        "gateway: one framing, the plain one (beside what the parser refuses)",
        "test_wire.py::test_smuggling",
        "smuggling: framing of a head",
        (
            Change(
                "gateway/headers.py",
                '    if read.get(b"transfer-encoding", b"chunked").lower() != b"chunked":\n'
                "        raise MalformedRequest",
                '    if read.get(b"transfer-encoding", b"chunked").lower() == b"":\n'
                "        raise MalformedRequest",
            ),
        ),
    ),
    Control(
        "gateway: how large a body may be (declared, in the first bytes, and counted)",
        "test_wire.py::test_sizes",
        "oversized: bodies",
        (
            Change(
                "gateway/proxy.py",
                "body_max = route.body_max if streams else min(self._body_max, route.body_max)",
                "body_max = route.body_max if streams else 2**62",
            ),
        ),
    ),
    Control(
        "gateway: other sites by an exact list",
        "test_front_door.py::test_pages_of_other_sites",
        "other sites' pages",
        (
            Change(
                "gateway/cors.py",
                "self._others if origin is None else self._headers.get(origin, self._others)",
                '[(b"access-control-allow-origin", origin or b"*"), _VARY]',
            ),
        ),
    ),
    Control(
        "gateway: the policy against framing and scripts",
        "test_front_door.py::test_headers_of_every_kind_of_answer",
        "security headers of every kind of answer",
        (
            Change(
                "gateway/headers.py",
                "b\"default-src 'none'; frame-ancestors 'none'\"",
                'b"default-src *"',
            ),
        ),
    ),
    Control(
        "metrics: their token",
        "test_front_door.py::test_what_is_not_for_everybody",
        "open to nobody: metrics, status, internal paths",
        (
            Change(
                "shared/metrics.py",
                "return hmac.compare_digest(authorization, expected)",
                "return bool(expected)",
            ),
        ),
    ),
)
