"""Certificates made on the spot with openssl: authorities, servers with a fault, clients."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certificate authority in a folder: NAME.pem and NAME.key."""

    folder: Path
    name: str

    @property
    def pem(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def issue(
        self, name: str, *, alt: str = "IP:127.0.0.1", ca: bool = False, days: str = "2"
    ) -> Path:
        """Issue a certificate; return NAME-chain.pem with its key, it, and what it stands on."""
        extensions = [f"basicConstraints=critical,CA:{'TRUE' if ca else 'FALSE'}"]
        extensions += [] if ca else [f"subjectAltName={alt}"]
        (self.folder / f"{name}.ext").write_text("\n".join(extensions) + "\n")
        openssl(self.folder, "req", "-new", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
        openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", self.pem.name,
                "-CAkey", f"{self.name}.key", "-CAcreateserial", "-days", days,
                "-extfile", f"{name}.ext", "-out", f"{name}.pem")  # fmt: skip
        chain = self.folder / f"{name}-chain.pem"
        parts = [f"{name}.key", f"{name}.pem", f"{self.name}-above.pem"]
        files = [self.folder / part for part in parts]
        chain.write_bytes(b"".join(each.read_bytes() for each in files if each.exists()))
        return chain

    def intermediate(self, name: str) -> Authority:
        """Issue an authority below this one; what it issues carries its certificate along."""
        self.issue(name, ca=True)
        made = Authority(folder=self.folder, name=name)
        (self.folder / f"{name}-above.pem").write_bytes(made.pem.read_bytes())
        return made


def authority(folder: Path, name: str = "root") -> Authority:
    """Make a root authority in `folder`."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
            "-out", f"{name}.pem")  # fmt: skip
    return Authority(folder=folder, name=name)


def serving(chain: Path, *, client_authority: Path | None = None) -> ssl.SSLContext:
    """Return a server's context; with `client_authority` it demands a client's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    if client_authority is not None:
        context.load_verify_locations(client_authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def der_of(pem: Path) -> list[bytes]:
    """Return every certificate of a PEM file, in order."""
    found = pem.read_text().split("-----BEGIN CERTIFICATE-----")[1:]
    ends = "-----END CERTIFICATE-----"
    return [
        ssl.PEM_cert_to_DER_cert(f"-----BEGIN CERTIFICATE-----{each.split(ends)[0]}{ends}")
        for each in found
    ]
