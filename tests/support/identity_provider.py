"""An OpenID provider that runs on this machine and does what a test wants, lies above all."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

CLIENT_ID, CLIENT_SECRET = "stock wright", "s3cret/with:signs"

Alter = Callable[[dict[str, Any]], dict[str, Any]]


class Provider:
    """Signs whoever is named in, by the code flow with PKCE; `alter` changes what it claims."""

    def __init__(self) -> None:
        self.rsa = RSAKey.generate_key(2048, {"kid": "r1"}, private=True)
        self.ec = ECKey.generate_key("P-256", {"kid": "e1"}, private=True)
        self.issuer = ""
        self.asked: list[str] = []
        self.reset()
        self._codes: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}

    def reset(self) -> None:
        self.alter: Alter = dict
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.configuration: dict[str, Any] = {}
        self.delay_s = 0.0
        self.fails = False

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "r1"}, claims, self.rsa)

    def signed_by_ec(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "ES256", "kid": "e1"}, claims, self.ec)

    def sign_in(self, url: str, **claims: Any) -> dict[str, str]:
        """Do what a person does there; return what the browser brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{self.issuer}/authorize?")
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked, claims
        return {"state": asked["state"], "code": code, "iss": self.issuer}

    def describe(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_response_iss_parameter_supported": True,
        } | self.configuration

    def keys(self) -> dict[str, Any]:
        return KeySet([self.rsa, self.ec]).as_dict(private=False)

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Check a code as a provider must, and give its ID token."""
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        if pair != "stock+wright:s3cret%2Fwith%3Asigns":
            return 401, {"error": "invalid_client"}
        asked, claims = self._codes.pop(form["code"], ({}, {}))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked.get("code_challenge"):
            return 400, {"error": "invalid_grant"}
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        token = self.alter(
            {
                "iss": self.issuer,
                "aud": CLIENT_ID,
                "iat": now,
                "exp": now + 300,
                "nonce": asked["nonce"],
                **claims,
            }
        )
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.sign(token)}


@contextmanager
def running_provider() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            known = {
                "/.well-known/openid-configuration": provider.describe,
                "/keys": provider.keys,
            }
            answer = known.get(path)
            self._answer(*((200, answer()) if answer else (404, {})))

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            form = {
                name: values[0]
                for name, values in parse_qs(self.rfile.read(length).decode()).items()
            }
            self._answer(*provider.redeem(form, self.headers.get("authorization", "")))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            provider.asked.append(self.path)
            if provider.delay_s:
                provider.hangs.wait(provider.delay_s)
            written = json.dumps(body).encode()
            self.send_response(500 if provider.fails else status)
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.hangs = threading.Event()
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.hangs.set()
        server.shutdown()
        server.server_close()
        thread.join()
