"""A calendar of OpenTimestamps as a program of its own on loopback: digests in, proofs out.

    python -m tests.ots_calendar FOLDER

It prints its port and serves until its standard input ends. What it was sent lies in FOLDER/sent;
once FOLDER/height holds a number, it answers with proofs by the block of that height, of which
FOLDER/header holds the header. A block of this calendar has one transaction beside its own, as a
real one has many, and so little proof of work that any machine finds it at once.

Source: the reference server's interface (opentimestamps-server, `rpc.py`): POST /digest, and GET
/timestamp/HEX, with 404 and words until the commitment is in a block.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EASY_BITS = 0x207FFFFF
_SALT, _SIBLING = b"\x01" * 8, b"\x02" * 32
_MARK = b"\x5e" * 4


def _sized(raw: bytes) -> bytes:
    assert len(raw) < 128
    return bytes([len(raw)]) + raw


def commitment_of(digest: bytes) -> bytes:
    """Return the message that the calendar keeps for a digest."""
    return _MARK + hashlib.sha256(digest + _SIBLING).digest() + _SALT


def answer_to(digest: bytes, uri: str) -> bytes:
    """Return the operations up to the commitment, and the promise to go on."""
    attestation = bytes.fromhex("83dfe30d2ef90c8e") + _sized(_sized(uri.encode()))
    return (
        b"\xf0"
        + _sized(_SIBLING)
        + b"\x08\xf1"
        + _sized(_MARK)
        + b"\xf0"
        + _sized(_SALT)
        + (b"\x00" + attestation)
    )


def rest_of(height: int) -> bytes:
    """Return the operations from a commitment to the merkle root, and what Bitcoin attests."""
    number = bytearray()
    while height > 127:
        number.append(height & 127 | 128)
        height >>= 7
    number.append(height)
    attestation = bytes.fromhex("0588960d73d71901") + _sized(bytes(number))
    return b"\x08\xf1" + _sized(_SIBLING) + b"\x08\x08\x00" + attestation


def merkle_root_of(commitment: bytes) -> bytes:
    """Return the message that `rest_of` leads to."""
    pair = _SIBLING + hashlib.sha256(commitment).digest()
    return hashlib.sha256(hashlib.sha256(pair).digest()).digest()


def mine(merkle_root: bytes, *, time_s: int, bits: int = EASY_BITS) -> bytes:
    """Return a header over this root with a hash below the target of `bits`, an easy one."""
    target = (bits & 0x7FFFFF) << 8 * ((bits >> 24) - 3)
    for nonce in range(1 << 32):
        raw = struct.pack("<I32s32sIII", 4, bytes(32), merkle_root, time_s, bits, nonce)
        hashed = hashlib.sha256(hashlib.sha256(raw).digest()).digest()
        if int.from_bytes(hashed, "little") <= target:
            return raw
    raise AssertionError("no nonce")


class Handler(BaseHTTPRequestHandler):
    """Play the two routes."""

    folder = Path()
    uri = ""

    def do_POST(self) -> None:
        digest = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/digest" or len(digest) > 64:
            self._answer(400, b"bad")
            return
        with (self.folder / "sent").open("ab") as kept:
            kept.write(digest.hex().encode() + b"\n")
        self._answer(200, answer_to(digest, self.uri))

    def do_GET(self) -> None:
        asked = bytes.fromhex(self.path.removeprefix("/timestamp/"))
        sent = (self.folder / "sent").read_text().split()
        known = {commitment_of(bytes.fromhex(each)) for each in sent}
        height = self.folder / "height"
        if asked not in known:
            self._answer(404, b"Commitment not found")
        elif not height.exists():
            self._answer(404, b"Pending confirmation in Bitcoin blockchain")
        else:
            (self.folder / "header").write_bytes(mine(merkle_root_of(asked), time_s=1_790_000_000))
            self._answer(200, rest_of(int(height.read_text())))

    def _answer(self, status: int, raw: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    """Serve until standard input ends."""
    Handler.folder = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.uri = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.shutdown()
    thread.join()


if __name__ == "__main__":
    main()
