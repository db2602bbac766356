"""An authority of one's own and what it vouches for: `python -m deploy.certificates [FOLDER]`.

For whoever has no authority yet: one for this installation alone, ten years, and a certificate of
one year for each server and program, in a folder of its own with the authority's. Run again, it
keeps the authority and makes the others anew. Containers run as other users and are given single
folders, so the files in these are readable; what keeps them private is FOLDER, closed to others.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.local.private import open_private, private_folder
from deploy.postgres.bootstrap import SERVICES

# As they are called in docker-compose.yml.
HOLDERS = ("postgres", "valkey", "gateway", *SERVICES, "prometheus")
AUTHORITY_LASTS = timedelta(days=3650)
LASTS = timedelta(days=365)
_BEGAN_BEFORE = timedelta(minutes=5)  # Clocks differ.


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str


@dataclass(frozen=True)
class Authority:
    """Who vouches for certificates."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, name: str) -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        made = (
            _begin(subject, subject, key.public_key(), AUTHORITY_LASTS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(made, key)

    @classmethod
    def kept_in(cls, folder: Path) -> Self:
        """Return the authority of this folder, made if it is not there."""
        certificate, key = folder / "authority.crt", folder / "authority.key"
        if key.exists():
            held = serialization.load_pem_private_key(key.read_bytes(), password=None)
            if not isinstance(held, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{key} was not made here")
            return cls(x509.load_pem_x509_certificate(certificate.read_bytes()), held)
        made = cls.make("Stockwright, this installation")
        for path, text in ((certificate, made.pem), (key, _key_pem(made.key))):
            with open_private(path, "w") as file:
                file.write(text)
        return made

    @property
    def pem(self) -> str:
        return _pem(self.certificate)

    def issue(self, name: str, hosts: Sequence[str], lasts: timedelta = LASTS) -> Issued:
        """Return a certificate for servers of these hosts, by which its holder is a client too.

        Its common name is the client's; PostgreSQL can compare it with the role.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = (
            _begin(_name(name), self.certificate.subject, key.public_key(), lasts)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(names, critical=False)
            .add_extension(identifier, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return Issued(_pem(made), _key_pem(key))


def write_all(folder: Path) -> None:
    """Write a certificate for each holder; the authority's key stays in `folder` itself."""
    authority = Authority.kept_in(private_folder(folder))
    for holder in HOLDERS:
        issued = authority.issue(holder, [holder, "localhost", "127.0.0.1"])
        place = folder / holder
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
        for name, text in (
            ("ca.crt", authority.pem),
            ("tls.key", issued.key),
            ("tls.crt", issued.certificate),
        ):
            fresh = place / f"{name}.new"
            fresh.write_text(text)
            fresh.chmod(0o644)
            fresh.replace(place / name)


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    begin = min(now, now + lasts) - _BEGAN_BEFORE
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


if __name__ == "__main__":
    write_all(Path(sys.argv[1] if len(sys.argv) > 1 else "certificates"))
