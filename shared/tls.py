"""TLS of this process: whom its connections trust, and what it shows of itself.

Every context checks the other side's certificate, and a client's the name as well. Certificates are
read from their files again when these change, into the contexts in use: connections that are open
live on, new ones see the new certificate.
"""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

import httpx
import structlog
from cryptography import x509
from prometheus_client import Gauge

DAY_S = 86_400
log = structlog.get_logger()

certificate_expiry = Gauge(
    "tls_certificate_expiry_timestamp_seconds",
    "When the certificate ends that this process shows, or that of the authority it trusts.",
    ["purpose"],
)

_Stamps = tuple[tuple[int, int, int], ...]


class TlsRefused(ValueError):
    """A certificate or key is missing or cannot be used; the text names the variable."""


@dataclass(frozen=True)
class TlsFiles:
    """Where the certificates for one purpose lie: the authority's, and one's own with its key."""

    purpose: str
    variables: tuple[str, str]  # Who says where the authority's and one's own are.
    authority: Path | None = None  # Without it a client trusts the authorities of the system.
    certificate: Path | None = None
    key: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.authority, self.certificate, self.key) if path)


@dataclass
class _Loaded:
    """The files as a context was made from them."""

    files: TlsFiles
    stamps: _Stamps
    failed: _Stamps | None = None  # With these it could not be made again; said once.


_in_use: WeakKeyDictionary[ssl.SSLContext, _Loaded] = WeakKeyDictionary()


@cache
def tls_context() -> ssl.SSLContext:
    """Return what clients of the process open TLS connections to the world with.

    Made once in a process, since reading the system's authorities takes some 30 ms.
    """
    return httpx.create_ssl_context()


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """Return what a client checks certificate and name with, and shows its own by.

    Raises TlsRefused.
    """
    return _watched(_new_client(files), files)


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """Return what a server shows; with an authority it takes clients of that one only.

    Raises TlsRefused.
    """
    return _watched(_new_server(files), files)


def inside_context(files: TlsFiles | None) -> ssl.SSLContext:
    """Return what calls between gateway and services use: nothing of it, if they speak plainly."""
    return client_context(files) if files else tls_context()


def check_files(files: TlsFiles) -> None:
    """Try the files of a client. Raises TlsRefused."""
    _new_client(files)


def list_certificates(now_s: float) -> dict[str, dict[str, str | float]]:
    """Return when each certificate ends that this process shows or trusts, by its purpose."""
    return {
        sample.labels["purpose"]: {
            "ends_at": datetime.fromtimestamp(sample.value, UTC).isoformat(),
            "days_left": round((sample.value - now_s) / DAY_S, 1),
        }
        for metric in certificate_expiry.collect()
        for sample in metric.samples
    }


def refresh_certificates() -> None:
    """Read the files again that have changed. What does not fit together is left for later."""
    for context, loaded in [*_in_use.items()]:
        stamps = _stamps(loaded.files)
        if stamps in (loaded.stamps, loaded.failed):
            continue
        try:
            _load(ssl.SSLContext(context.protocol), loaded.files)  # A spare one: all or nothing.
            _load(context, loaded.files)
        except TlsRefused as error:
            loaded.failed = stamps
            reason = str(error)
            log.error("certificate not read", purpose=loaded.files.purpose, reason=reason)  # noqa: TRY400 - a stack says no more.
            continue
        loaded.stamps, loaded.failed = stamps, None
        _tell_expiry(loaded.files)
        log.info("certificate read", purpose=loaded.files.purpose)


def _watched(context: ssl.SSLContext, files: TlsFiles) -> ssl.SSLContext:
    _in_use[context] = _Loaded(files, _stamps(files))
    _tell_expiry(files)
    return context


def _new_client(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # It checks certificate and name.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.authority is None:
        context.load_default_certs()
    return _load(context, files)


def _new_server(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return _load(context, files)


def _load(context: ssl.SSLContext, files: TlsFiles) -> ssl.SSLContext:
    what, own = files.variables
    try:
        if files.authority is not None:
            context.load_verify_locations(files.authority)
        what = own
        if files.certificate is not None:
            context.load_cert_chain(files.certificate, files.key, password=_refuse_password)
    except OSError as error:  # An SSLError too is one.
        reason = getattr(error, "reason", None) or error.strerror
        raise TlsRefused(f"{what}: the file cannot be used: {reason}") from error
    return context


def _refuse_password() -> str:
    """Never ask on the terminal for the password of a key."""
    raise TlsRefused("a key of TLS must not be encrypted: nobody could say its password")


def _stamps(files: TlsFiles) -> _Stamps:
    """Return what changes with the files: times, sizes, and the files themselves."""
    return tuple(_stamp(path) for path in files.paths)


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _tell_expiry(files: TlsFiles) -> None:
    for path, purpose in (
        (files.certificate, files.purpose),
        (files.authority, f"{files.purpose} authority"),
    ):
        if path is not None:
            certificate_expiry.labels(purpose).set(_earliest_end(_read_all(path)))


def _read_all(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):  # OpenSSL is less strict: it has taken it.
        return []


def _earliest_end(certificates: Iterable[x509.Certificate]) -> float:
    """Return when the first of a chain ends; 0, long ago, if that cannot be told."""
    ends = [each.not_valid_after_utc.timestamp() for each in certificates]
    return min(ends, default=0.0)
