"""Read the header of a Bitcoin block, and what it shows by itself. Pure: knows no chain.

A header commits to the block's transactions by their merkle root, says a time, and carries a proof
of work: its hash is below the target that its own `bits` give. That the block is in the chain
cannot be seen from it; that takes a node, or several sources that agree.

Source: Bitcoin developer reference, Block Headers, Target nBits.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from provenance.errors import UsageError

HEADER_BYTES = 80
LEAST_WORK = 1 << 64
"""Hashes that the target of a header must ask for on average; below, it is none of the main chain.

Bitcoin's blocks have asked for more since the spring of 2014, before there were any calendars. It
does not replace a look at the chain: 2^64 hashes can be bought.
"""

_HEX = re.compile(rb"[0-9A-Fa-f]{160}\Z")
_FIELDS = struct.Struct("<4x32s32sIII")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """What a header says: the block's hash and merkle root as stored, and its time.

    `work` is how many hashes finding it took on average.
    """

    hash: bytes
    merkle_root: bytes
    time: datetime
    work: int

    @property
    def name(self) -> str:
        """The block's hash as people write it: in hexadecimal, the last byte first."""
        return shown_hash(self.hash)


def shown_hash(raw: bytes) -> str:
    """Return a hash of Bitcoin as people write it: in hexadecimal, the last byte first."""
    return raw[::-1].hex()


def parse_header(raw: bytes, *, where: str, least_work: int = LEAST_WORK) -> BlockHeader:
    """Return a header, given as 80 bytes or as 160 hexadecimal digits, after its proof of work.

    Raises:
        UsageError: it is neither, its hash is not below its target, or its target asks for less
            than `least_work` hashes.
    """
    digits = raw.strip()
    if len(raw) != HEADER_BYTES and _HEX.match(digits):
        raw = bytes.fromhex(digits.decode())
    if len(raw) != HEADER_BYTES:
        raise UsageError(
            "not the header of a block",
            where=where,
            expected=f"{HEADER_BYTES} bytes, or as many in hexadecimal",
            found=f"{len(raw)} bytes",
            hint="`bitcoin-cli getblockheader HASH false` prints one.",
        )
    _, merkle_root, seconds, bits, _ = _FIELDS.unpack(raw)
    hashed = hashlib.sha256(hashlib.sha256(raw).digest()).digest()
    target = _target(bits)
    if target is None or int.from_bytes(hashed, "little") > target:
        raise UsageError(
            "a header without its proof of work",
            where=where,
            expected=f"a hash up to the target of the bits {bits:08x}",
            found=shown_hash(hashed),
            hint="It is damaged or made up; get it from a node.",
        )
    work = (1 << 256) // (target + 1)
    if work < least_work:
        raise UsageError(
            "a header with too little proof of work for Bitcoin",
            where=where,
            expected=f"about 2^{least_work.bit_length() - 1} hashes or more",
            found=f"about 2^{work.bit_length() - 1}, by the bits {bits:08x}",
            hint="It is made up, or of a test network; get it from a node.",
        )
    return BlockHeader(
        hash=hashed, merkle_root=merkle_root, time=datetime.fromtimestamp(seconds, UTC), work=work
    )


def _target(bits: int) -> int | None:
    """Return the number that a hash may not exceed; None where the bits give none.

    Source: Bitcoin developer reference, Target nBits: a base-256 exponent over three digits, the
    highest bit of which is a sign.
    """
    exponent, digits = bits >> 24, bits & 0x7FFFFF
    if not digits or bits & 0x800000 or exponent > 34:
        return None
    target = digits << 8 * (exponent - 3) if exponent > 3 else digits >> 8 * (3 - exponent)
    return target if 0 < target < 1 << 256 else None
