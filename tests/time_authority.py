"""A time-stamping authority made with the openssl command, also one with faults, on loopback."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from provenance.timestamps import der

CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
TSA = (
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    "extendedKeyUsage=critical,timeStamping\n"
)
LONG_AGO, FAR_OFF = "20150101000000Z", "20991231235959Z"
CURVE = ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")

_CONFIG = """
[ca]
default_ca = d
[d]
database = index.txt
new_certs_dir = .
serial = ca-serial
default_md = sha256
policy = p
unique_subject = no
[p]
commonName = supplied
[tsa]
default_tsa = t
[t]
serial = ./serial
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = sha256, sha384, sha512
signer_digest = sha256
accuracy = secs:1, millisecs:500, microsecs:100
clock_precision_digits = 6
ordering = yes
tsa_name = yes
ess_cert_id_alg = sha256
[v1]
serial = ./serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha1
[sha512]
serial = ./serial
default_policy = 1.2.3.4.1
digests = sha512
signer_digest = sha512
ess_cert_id_alg = sha512
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """A folder where certificates are issued, NAME.pem with NAME.key, and tokens made."""

    folder: Path

    def openssl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.folder, capture_output=True, check=False, timeout=60
        )
        assert not check or done.returncode == 0, done.stderr.decode()
        return done

    def pem(self, *names: str) -> bytes:
        return b"".join((self.folder / f"{name}.pem").read_bytes() for name in names)

    def issue(
        self,
        name: str,
        issuer: str | None = None,
        *,
        extensions: str = TSA,
        start: str = LONG_AGO,
        end: str = FAR_OFF,
        key: tuple[str, ...] = CURVE,
        digest: str = "sha256",
        subject: str = "",
    ) -> str:
        """Issue a certificate, a self-signed one without `issuer`, and return its name."""
        self.openssl("genpkey", "-algorithm", *key, "-out", f"{name}.key")
        self.openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={subject or name}",
                     "-out", f"{name}.csr")  # fmt: skip
        (self.folder / f"{name}.ext").write_text(extensions)
        signer = ("-cert", f"{issuer}.pem") if issuer else ("-selfsign",)
        self.openssl("ca", "-batch", "-notext", "-config", "openssl.cnf", "-rand_serial", *signer,
                     "-keyfile", f"{issuer or name}.key", "-md", digest, "-startdate", start,
                     "-enddate", end, "-extfile", f"{name}.ext", "-in", f"{name}.csr",
                     "-out", f"{name}.pem")  # fmt: skip
        return name

    def reply(self, query: bytes, signer: str, *chain: str, section: str = "t") -> bytes:
        """Answer a request as `openssl ts` does: now, with a token if it may."""
        stem = secrets.token_hex(8)
        (self.folder / f"{stem}.tsq").write_bytes(query)
        (self.folder / f"{stem}-chain.pem").write_bytes(self.pem(*chain))
        above = ("-chain", f"{stem}-chain.pem") if chain else ()
        self.openssl("ts", "-reply", "-config", "openssl.cnf", "-section", section, "-queryfile",
                     f"{stem}.tsq", "-signer", f"{signer}.pem", "-inkey", f"{signer}.key", *above,
                     "-out", f"{stem}.tsr")  # fmt: skip
        return (self.folder / f"{stem}.tsr").read_bytes()

    def sign(
        self,
        info: bytes,
        signer: str,
        *chain: str,
        options: tuple[str, ...] = ("-cades",),
        kind: str = "1.2.840.113549.1.9.16.1.4",
    ) -> bytes:
        """Answer with a token over any TSTInfo, whatever `openssl ts` would think of it."""
        stem = secrets.token_hex(8)
        (self.folder / f"{stem}.info").write_bytes(info)
        (self.folder / f"{stem}-chain.pem").write_bytes(self.pem(*chain))
        above = ("-certfile", f"{stem}-chain.pem") if chain else ()
        self.openssl("cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-outform", "DER",
                     "-econtent_type", kind, "-in", f"{stem}.info",
                     "-signer", f"{signer}.pem", "-inkey", f"{signer}.key", *above, *options,
                     "-out", f"{stem}.token")  # fmt: skip
        return granted((self.folder / f"{stem}.token").read_bytes())


def workshop(folder: Path) -> Workshop:
    """Prepare a folder for `openssl ca` and `openssl ts`."""
    (folder / "openssl.cnf").write_text(_CONFIG)
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01\n")
    return Workshop(folder=folder)


def granted(token: bytes, status: int = 0) -> bytes:
    """Return the response that grants a token."""
    return der.write(der.SEQUENCE, der.write(der.SEQUENCE, der.write_integer(status)), token)


def tst_info(
    imprint: bytes,
    *,
    gen_time: str | datetime,
    nonce: int | None = None,
    algorithm: str = "2.16.840.1.101.3.4.2.1",
    last: bytes = b"",
) -> bytes:
    """Return a TSTInfo in DER; `last` are fields after the nonce."""
    if isinstance(gen_time, datetime):
        gen_time = gen_time.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")
    identifier = der.write(der.SEQUENCE, der.write_oid(algorithm), b"\x05\x00")
    return der.write(
        der.SEQUENCE,
        der.write_integer(1),
        der.write_oid("1.2.3.4.1"),
        der.write(der.SEQUENCE, identifier, der.write(der.OCTET_STRING, imprint)),
        der.write_integer(7),
        der.write(der.GENERALIZED_TIME, gen_time.encode()),
        b"" if nonce is None else der.write_integer(nonce),
        last,
    )


@contextlib.contextmanager
def serving(shop: Workshop, signer: str, *chain: str) -> Iterator[str]:
    """Serve the authority on loopback, and yield its URL.

    Source: RFC 3161 §3.4 (time-stamp protocol via HTTP).
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            right = self.headers["Content-Type"] == "application/timestamp-query"
            answer = shop.reply(body, signer, *chain) if right else b""
            self.send_response(200 if right else 415)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsr"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def post(url: str, body: bytes) -> bytes:
    """Send a request as a client does."""
    asked = urllib.request.Request(
        url, data=body, headers={"Content-Type": "application/timestamp-query"}
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        raw: bytes = answer.read()
    return raw
