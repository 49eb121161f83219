"""Read and write OpenTimestamps proofs (`.ots` files). Pure: asks no calendar, knows no block.

A proof is a tree that begins at the SHA-256 of a file: operations lead from one message to the
next, and its leaves are attestations, each of which says something of the message it stands at.
Here it is the set of its branches, each from the digest to one attestation: the same thing.
An attestation is a pending one, by which a calendar promises to go on; one by Bitcoin, which says
that the message is the merkle root of a block; or another, which is kept as it is.

There is no specification but the reference implementation, python-opentimestamps 0.4.5
(`core/timestamp.py`, `core/op.py`, `core/notary.py`, `core/serialize.py`); the bounds are its own,
with two more: a proof has at most `MAX_BYTES`, and a number at most 63 bits.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from provenance.timestamps.refusals import Reason, TimestampError

MAGIC = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94"
VERSION = 1
MAX_BYTES = 1 << 16
"""Bytes of a proof; one with an attestation by Bitcoin is 1 to 3 KB."""

SHA256, APPEND, PREPEND = 0x08, 0xF0, 0xF1
_REVERSE, _HEXLIFY = 0xF2, 0xF3
_HASHES = {0x02: "sha1", 0x03: "ripemd160", SHA256: "sha256"}
_UNARY = (*_HASHES, _REVERSE, _HEXLIFY)
_BINARY = (APPEND, PREPEND)
_ATTESTATION, _MORE = 0x00, 0xFF

PENDING = bytes.fromhex("83dfe30d2ef90c8e")
BITCOIN = bytes.fromhex("0588960d73d71901")

_MESSAGE_LIMIT = 4096
_PAYLOAD_LIMIT = 8192
_STEPS_LIMIT = 255
_URI = re.compile(rb"[A-Za-z0-9._/:-]{0,1000}\Z")
_ROOT_BYTES = 32


class _Fault(Exception):
    """The bytes are no proof."""


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One operation: its tag, and what it appends or prepends (empty for the others)."""

    tag: int
    argument: bytes = b""


@dataclass(frozen=True, slots=True)
class Attestation:
    """What is said of a message: the kind's tag, 8 bytes, and a payload.

    `uri` is the calendar's address, None where it is no pending one; `height` the number of the
    block, None where it is none by Bitcoin.
    """

    tag: bytes
    payload: bytes
    uri: str | None = None
    height: int | None = None

    @property
    def rank(self) -> tuple[bytes, bytes | int]:
        """Where it stands among the attestations of one message."""
        if self.uri is not None:
            return self.tag, self.uri.encode()
        return self.tag, self.payload if self.height is None else self.height


@dataclass(frozen=True, slots=True)
class Branch:
    """One way through a proof: the steps, the message that they give, and what is said of it."""

    steps: tuple[Step, ...]
    message: bytes
    attestation: Attestation


@dataclass(frozen=True)
class Proof:
    """A proof for a file whose SHA-256 is `digest`: at least one path, each once."""

    digest: bytes
    branches: tuple[Branch, ...]

    @cached_property
    def pending(self) -> tuple[Branch, ...]:
        """The branches that end at a calendar's promise."""
        return tuple(each for each in self.branches if each.attestation.uri is not None)

    @cached_property
    def in_blocks(self) -> tuple[Branch, ...]:
        """The branches that end at the merkle root of a Bitcoin block."""
        return tuple(each for each in self.branches if each.attestation.height is not None)

    def having(self, branches: Iterable[Branch]) -> Proof:
        """Return this proof with more branches, each once."""
        return Proof(self.digest, tuple(dict.fromkeys((*self.branches, *branches))))


def blinding_steps(nonce: bytes) -> tuple[Step, ...]:
    """Return the steps that hide a digest from a calendar: a random number appended, and hashed.

    The calendar gets what they give, and cannot tell whether somebody has the file.
    """
    return Step(APPEND, nonce), Step(SHA256)


def apply(steps: Iterable[Step], message: bytes) -> bytes:
    """Return the message that the steps lead to.

    Raises:
        TimestampError: one of them cannot be done (`NOT_READABLE`).
    """
    try:
        for step in steps:
            message = _done(step, message)
    except _Fault as fault:
        raise _unreadable("proof", fault) from None
    return message


def parse_proof(raw: bytes, *, where: str = "proof") -> Proof:
    """Return the proof in a detached file (`.ots`).

    Raises:
        TimestampError: it is none, is too large, is over another hash than SHA-256, or has an
            operation that is not known here (`NOT_READABLE`).
    """
    try:
        if not raw.startswith(MAGIC):
            raise _Fault("another beginning")
        cursor = _Cursor(raw, len(MAGIC))
        version = cursor.number()
        if version != VERSION:
            raise _Fault(f"version {version}")
        tag = cursor.byte()
        if tag != SHA256:
            raise _Fault(f"over a hash of the kind {tag:#04x}")
        digest = cursor.take(_ROOT_BYTES)
        branches = _branches(cursor, digest)
    except _Fault as fault:
        raise _unreadable(where, fault) from None
    return Proof(digest, branches)


def parse_answer(raw: bytes, message: bytes, *, where: str = "answer") -> tuple[Branch, ...]:
    """Return the branches that a calendar gives, which begin at the message it was asked about.

    Raises:
        TimestampError: it is no part of a proof (`NOT_READABLE`).
    """
    try:
        return _branches(_Cursor(raw, 0), message)
    except _Fault as fault:
        raise _unreadable(where, fault) from None


def write_proof(proof: Proof) -> bytes:
    """Return a proof as a detached file, in the order in which the reference writes it.

    Raises:
        ValueError: it has no path.
    """
    if not proof.branches:
        raise ValueError("a proof has at least one path")
    head = MAGIC + _number(VERSION) + bytes([SHA256]) + proof.digest
    return head + _tree([(each.steps, each.attestation) for each in proof.branches], 0)


def pending_at(uri: str) -> Attestation:
    """Return the attestation by which the calendar at `uri` promises to go on.

    Raises:
        ValueError: the address has characters that none may have here, or is too long.
    """
    raw = uri.encode()
    if not _URI.match(raw):
        raise ValueError("not the address of a calendar")
    return Attestation(PENDING, _sized(raw), uri=uri)


def in_block(height: int) -> Attestation:
    """Return the attestation that a message is the merkle root of Bitcoin's block `height`."""
    return Attestation(BITCOIN, _number(height), height=height)


class _Cursor:
    """Bytes, read from the front."""

    def __init__(self, raw: bytes, at: int) -> None:
        if len(raw) > MAX_BYTES:
            raise _Fault(f"{len(raw)} bytes, more than {MAX_BYTES}")
        self._raw = raw
        self._at = at

    @property
    def at_end(self) -> bool:
        return self._at == len(self._raw)

    def take(self, size: int) -> bytes:
        piece = self._raw[self._at : self._at + size]
        if len(piece) < size:
            raise _Fault(f"it ends at byte {len(self._raw)}")
        self._at += size
        return piece

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """Read an unsigned number, seven bits a byte, the lowest first (LEB128)."""
        value = 0
        for shift in range(0, 63, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise _Fault("a number of more than 63 bits")

    def sized(self, limit: int, least: int = 0) -> bytes:
        size = self.number()
        if not least <= size <= limit:
            raise _Fault(f"a length of {size}, not {least} to {limit}")
        return self.take(size)


def _branches(cursor: _Cursor, message: bytes) -> tuple[Branch, ...]:
    """Read a tree to the end of the bytes, depth first, without recursion."""
    found: dict[Branch, None] = {}
    open_: list[tuple[tuple[Step, ...], bytes]] = [((), message)]
    while open_:
        steps, message = open_.pop()
        tag = cursor.byte()
        if tag == _MORE:
            open_.append((steps, message))
            tag = cursor.byte()
        if tag == _ATTESTATION:
            attestation = _attestation(cursor)
            if attestation.height is not None and len(message) != _ROOT_BYTES:
                raise _Fault(f"a merkle root of {len(message)} bytes")
            found[Branch(steps, message, attestation)] = None
            continue
        if len(steps) == _STEPS_LIMIT:
            raise _Fault(f"more than {_STEPS_LIMIT} operations in a row")
        step = Step(tag, cursor.sized(_MESSAGE_LIMIT, 1) if tag in _BINARY else b"")
        open_.append(((*steps, step), _done(step, message)))
    if not cursor.at_end:
        raise _Fault("bytes after its end")
    return tuple(found)


def _done(step: Step, message: bytes) -> bytes:
    if step.tag not in _UNARY + _BINARY:
        raise _Fault(f"the operation {step.tag:#04x} is not known here")
    if step.tag == APPEND:
        message = message + step.argument
    elif step.tag == PREPEND:
        message = step.argument + message
    elif step.tag == _REVERSE:
        message = message[::-1]
    elif step.tag == _HEXLIFY:
        message = message.hex().encode()
    else:
        message = _hashed(_HASHES[step.tag], message)
    if len(message) > _MESSAGE_LIMIT:
        raise _Fault(f"a message of more than {_MESSAGE_LIMIT} bytes")
    return message


def _hashed(name: str, message: bytes) -> bytes:
    try:
        return hashlib.new(name, message, usedforsecurity=False).digest()
    except ValueError:
        # RIPEMD-160, which OpenSSL may leave out; the first proofs of 2015 and 2016 have it.
        raise _Fault(f"this Python cannot compute {name}") from None


def _attestation(cursor: _Cursor) -> Attestation:
    tag, payload = cursor.take(8), cursor.sized(_PAYLOAD_LIMIT)
    inner = _Cursor(payload, 0)
    if tag == PENDING:
        raw = inner.sized(1000)
        if not (_URI.match(raw) and inner.at_end):
            raise _Fault("a calendar's address that is none")
        return Attestation(tag, payload, uri=raw.decode())
    if tag == BITCOIN:
        height = inner.number()
        if not inner.at_end:
            raise _Fault("bytes after the number of a block")
        return Attestation(tag, payload, height=height)
    return Attestation(tag, payload)


def _tree(ways: list[tuple[tuple[Step, ...], Attestation]], depth: int) -> bytes:
    """Write the ways that are alike in their first `depth` steps."""
    ends = sorted((each for steps, each in ways if len(steps) == depth), key=_rank)
    onward: dict[Step, list[tuple[tuple[Step, ...], Attestation]]] = {}
    for steps, each in ways:
        if len(steps) > depth:
            onward.setdefault(steps[depth], []).append((steps, each))
    parts = [bytes([_ATTESTATION]) + each.tag + _sized(each.payload) for each in ends]
    for step in sorted(onward):
        argument = _sized(step.argument) if step.tag in _BINARY else b""
        parts.append(bytes([step.tag]) + argument + _tree(onward[step], depth + 1))
    return b"".join(bytes([_MORE]) + part for part in parts[:-1]) + parts[-1]


def _rank(each: Attestation) -> tuple[bytes, bytes | int]:
    return each.rank


def _number(value: int) -> bytes:
    raw = bytearray()
    while value > 0x7F:
        raw.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*raw, value])


def _sized(raw: bytes) -> bytes:
    return _number(len(raw)) + raw


def _unreadable(where: str, fault: _Fault) -> TimestampError:
    return TimestampError(
        Reason.NOT_READABLE,
        "not an OpenTimestamps proof",
        where=where,
        expected="the form of a proof of version 1 over a SHA-256",
        found=str(fault),
        hint="It is damaged, or something else; restore it from a copy.",
    )
