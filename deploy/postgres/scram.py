"""SCRAM-SHA-256 password verifiers, as PostgreSQL stores them (RFC 5802, RFC 7677).

The verifier is computed here, so a clear password never reaches the server's log.
"""

import base64
import hashlib
import hmac
import secrets

ITERATIONS = 4096  # PostgreSQL's own default; the passwords are 256 random bits.


def scram_verifier(password: str, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """Return the text for `ALTER ROLE ... PASSWORD`; a random salt unless one is given.

    Raises ValueError for a password that SASLprep could change: only printable ASCII is taken.
    """
    if not password or not password.isascii() or not password.isprintable():
        raise ValueError("A database password must be printable ASCII and not empty.")
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    return f"SCRAM-SHA-256${iterations}:{_base64(salt)}${_base64(stored_key)}:{_base64(server_key)}"


def is_verifier_of(stored: str | None, password: str) -> bool:
    """Say whether `stored` (pg_authid.rolpassword) was made from `password`."""
    try:
        _, parameters, _ = (stored or "").split("$")
        iterations, salt = parameters.split(":")
        again = scram_verifier(password, base64.b64decode(salt), int(iterations))
    except ValueError:
        return False
    return hmac.compare_digest(again, stored or "")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
