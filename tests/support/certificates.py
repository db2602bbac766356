"""Certificates for tests, good ones and each kind that must be refused, in files."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from deploy.certificates import LASTS, Authority

HERE = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Shown:
    """Where a certificate and its key lie."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """One authority that is trusted, another that is not, and what they have vouched for."""

    folder: Path
    trusted: Authority = field(default_factory=lambda: Authority.make("trusted"))
    foreign: Authority = field(default_factory=lambda: Authority.make("foreign"))

    @property
    def authority(self) -> Path:
        return self._written("ca.crt", self.trusted.pem)

    @property
    def foreign_authority(self) -> Path:
        return self._written("foreign.crt", self.foreign.pem)

    def good(self, name: str = "localhost") -> Shown:
        return self.make(name)

    def of_another_authority(self, name: str = "localhost") -> Shown:
        return self.make(name, self.foreign, file=f"foreign-{name}")

    def expired(self, name: str = "localhost") -> Shown:
        return self.make(name, lasts=timedelta(minutes=-1), file=f"expired-{name}")

    def for_another_host(self) -> Shown:
        return self.make("elsewhere", hosts=("elsewhere.example",))

    def make(
        self,
        name: str,
        authority: Authority | None = None,
        *,
        hosts: tuple[str, ...] = HERE,
        lasts: timedelta = LASTS,
        file: str = "",
    ) -> Shown:
        """Return a new certificate in the files of that name, over what lay there."""
        issued = (authority or self.trusted).issue(name, hosts, lasts)
        return Shown(
            self._written(f"{file or name}.crt", issued.certificate),
            self._written(f"{file or name}.key", issued.key),
        )

    def _written(self, name: str, text: str) -> Path:
        """Put the file there whole: a program may be reading the one before it."""
        path = self.folder / name
        new = path.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o600)
        return new.replace(path)
