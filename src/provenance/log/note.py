"""Parse, write, sign and verify signed notes, and the key lines that go with them. Opens no file.

A note's text means nothing until a signature by a known key has been verified.

Source: C2SP signed-note; signer key lines as golang.org/x/mod/sumdb/note writes them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from provenance.errors import LogFormatError, ProofError, UsageError
from provenance.log import ed25519
from provenance.log.strict import parse_base64, shown, to_base64

ED25519 = 0x01
"""Signature type of Ed25519 over the note's text (C2SP signed-note, Signature types)."""

KEY_ID_BYTES = 4

MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
"""Limits on what is read; C2SP signed-note asks for 16 signatures at least."""

_DASH = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_PRIVATE = "PRIVATE+KEY+"
_KEY_LINE = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature line: the key's name and id (4 bytes), and what the key made, unverified."""

    name: str
    key_id: bytes
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text that ends in a newline, and its signatures, unverified."""

    text: str
    signatures: tuple[Signature, ...]


class Verifier(Protocol):
    """A public key that signatures of notes are checked with."""

    @property
    def name(self) -> str:
        """The key's name."""

    @property
    def key_id(self) -> bytes:
        """The key's id, 4 bytes."""

    def verifies(self, text: str, raw: bytes) -> bool:
        """Say whether `raw`, from a signature line without the key id, signs the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A signature that its key verifies."""

    key: Verifier
    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public Ed25519 key that signs texts of notes.

    Raises:
        UsageError: no key has this name, or the key is not 32 bytes.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        check_key(self.name, self.public)

    @property
    def key_id(self) -> bytes:
        """The key's id, 4 bytes."""
        return key_id_of(self.name, ED25519, self.public)

    @property
    def line(self) -> str:
        """The verifier key line, without a line end."""
        return format_key_line(self.name, self.key_id, ED25519, self.public)

    def verifies(self, text: str, raw: bytes) -> bool:
        """Say whether `raw` is an Ed25519 signature of the text by this key."""
        return ed25519.fits(self.public, raw, text.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private Ed25519 key that signs texts of notes, given by its seed of 32 bytes.

    Raises:
        UsageError: no key has this name, or the seed is not 32 bytes.
    """

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_key(self.name, self.seed)

    @property
    def verifier(self) -> VerifierKey:
        """The public key."""
        return VerifierKey(name=self.name, public=ed25519.public_key_of(self.seed))

    @property
    def line(self) -> str:
        """The signer key line, without a line end: a secret."""
        return _PRIVATE + format_key_line(self.name, self.verifier.key_id, ED25519, self.seed)

    def sign(self, text: str) -> Signature:
        """Return the signature of a note's text.

        Source: C2SP signed-note, Ed25519 signatures.
        """
        raw = ed25519.sign(self.seed, text.encode())
        return Signature(name=self.name, key_id=self.verifier.key_id, raw=raw)


def key_id_of(name: str, algorithm: int, public: bytes) -> bytes:
    """Return the id of a key, 4 bytes.

    Source: C2SP signed-note, Signatures: SHA-256(key name || 0x0A || signature type || key)[:4].
    """
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


def format_key_line(name: str, key_id: bytes, algorithm: int, key: bytes) -> str:
    """Return `<name>+<hex key id>+<base64(signature type || key)>`.

    Source: C2SP signed-note, Verifier keys.
    """
    return f"{name}+{key_id.hex()}+{to_base64(bytes([algorithm]) + key)}"


def split_key_line(line: str) -> tuple[str, bytes, int, bytes]:
    """Return name, key id, signature type and key of a verifier key line.

    Raises:
        UsageError: it is no such line, or its key id is not that of its key.

    Source: C2SP signed-note, Verifier keys.
    """
    if line.lstrip().startswith(_PRIVATE):
        raise UsageError(
            "not a verifier key but a private one",
            hint="`provenance key show FILE` prints the public line; keep the other to yourself.",
        )
    match = _KEY_LINE.match(line)
    decoded = parse_base64(match[3]) if match else None
    if match is None or not decoded or not _is_name(match[1]):
        raise UsageError(
            "not a verifier key",
            expected="<name>+<8 hex digits>+<base64>, on one line",
            found=shown(line),
            hint="The public line is wanted, which `provenance key show FILE` prints.",
        )
    name, key_id, algorithm, key = match[1], bytes.fromhex(match[2]), decoded[0], decoded[1:]
    if key_id != key_id_of(name, algorithm, key):
        raise UsageError(
            "the verifier key is damaged: its id is not that of name and key",
            where=shown(name),
            expected=key_id_of(name, algorithm, key).hex(),
            found=key_id.hex(),
            hint="Get the line again from its owner.",
        )
    return name, key_id, algorithm, key


def parse_verifier_key(line: str) -> VerifierKey:
    """Return the Ed25519 key that a verifier key line, without a line end, gives.

    Raises:
        UsageError: it is no such line, or one of another signature type.

    >>> key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    >>> parse_verifier_key(key).name
    'example.com/foo'
    """
    name, _, algorithm, public = split_key_line(line)
    if algorithm != ED25519:
        raise UsageError(
            "a verifier key of another kind",
            where=shown(name),
            expected="signature type 1 (Ed25519)",
            found=str(algorithm),
            hint="The key of a witness, of type 4, is given with --witness-key.",
        )
    return VerifierKey(name=name, public=public)


def split_signing_line(line: str, algorithm: int) -> tuple[str, bytes]:
    """Return name and seed of a signer key line of this signature type.

    Raises:
        UsageError: it is no such line. Nothing of the line is in the message, since it is secret.
    """
    match = _KEY_LINE.match(line.removeprefix(_PRIVATE)) if line.startswith(_PRIVATE) else None
    decoded = parse_base64(match[3]) if match else None
    if match is None or not decoded or not _is_name(match[1]):
        raise UsageError(
            "not a signer key",
            expected=f"{_PRIVATE}<name>+<8 hex digits>+<base64>, on one line",
        )
    if decoded[0] != algorithm or len(decoded) != 1 + ed25519.KEY_BYTES:
        raise UsageError(
            "a signer key of another kind",
            where=shown(match[1]),
            expected=f"signature type {algorithm} and a seed of {ed25519.KEY_BYTES} bytes",
            found=f"signature type {decoded[0]} and {len(decoded) - 1} bytes",
        )
    seed = decoded[1:]
    if bytes.fromhex(match[2]) != key_id_of(match[1], algorithm, ed25519.public_key_of(seed)):
        raise UsageError(
            "the signer key is damaged: its id is not that of name and key",
            where=shown(match[1]),
            hint="Restore the key from a copy.",
        )
    return match[1], seed


def parse_signing_key(line: str) -> SigningKey:
    """Return the Ed25519 key that a signer key line, without a line end, gives.

    Raises:
        UsageError: it is no such line.
    """
    name, seed = split_signing_line(line, ED25519)
    return SigningKey(name=name, seed=seed)


def parse_note(raw: bytes, *, where: str = "note") -> Note:
    """Return a signed note's text and signatures; none of them is verified.

    Raises:
        LogFormatError: it is no signed note, or is larger than is read.

    Source: C2SP signed-note, Format.
    """
    if len(raw) > MAX_NOTE_BYTES:
        raise LogFormatError(
            "the note is too large",
            where=where,
            expected=f"at most {MAX_NOTE_BYTES} bytes",
            found=f"{len(raw)} bytes",
        )
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise LogFormatError(
            "not a signed note", where=where, expected="UTF-8", found=f"byte {fault.start} is not"
        ) from None
    if match := _CONTROL.search(whole):
        raise _malformed(where, whole, match.start(), "no control characters but newlines")
    split = whole.rfind("\n\n")
    if split < 0 or not whole.endswith("\n"):
        raise LogFormatError(
            "not a signed note",
            where=where,
            expected="a text, an empty line, and signature lines that each end in a newline",
        )
    lines = whole[split + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise LogFormatError(
            "the note has too many signatures",
            where=where,
            expected=f"at most {MAX_SIGNATURES}",
            found=str(len(lines)),
        )
    at, signatures = split + 2, []
    for line in lines:
        signature = _parse_signature(line)
        if signature is None:
            raise _malformed(where, whole, at, "a signature line: \N{EM DASH} <name> <base64>")
        signatures.append(signature)
        at += len(line) + 1
    return Note(text=whole[: split + 1], signatures=tuple(signatures))


def adds_signatures(before: bytes, after: bytes) -> bool:
    """Say whether one signed note is the other with more signatures below it, each of them once."""
    try:
        old, new = parse_note(before), parse_note(after)
    except LogFormatError:
        return False
    more = len(new.signatures) > len(old.signatures)
    goes_on = new.signatures[: len(old.signatures)] == old.signatures and old.text == new.text
    return more and goes_on and len(set(new.signatures)) == len(new.signatures)


def format_note(note: Note) -> bytes:
    """Return the bytes of a signed note.

    Raises:
        LogFormatError: it cannot be written as a signed note that reads back the same.

    Source: C2SP signed-note, Format.
    """
    lines = "".join(map(format_signature, note.signatures))
    try:
        raw = f"{note.text}\n{lines}".encode()
    except UnicodeEncodeError as fault:
        raise LogFormatError("the note cannot be written", expected="UTF-8") from fault
    if parse_note(raw) != note:
        raise LogFormatError(
            "the note cannot be written", expected="a text that ends in a newline, and signatures"
        )
    return raw


def format_signature(signature: Signature) -> str:
    """Return a signature line, with its line end.

    Source: C2SP signed-note, Format.
    """
    return f"{_DASH}{signature.name} {to_base64(signature.key_id + signature.raw)}\n"


def sign_note(text: str, keys: Iterable[SigningKey]) -> Note:
    """Return the text as a note signed by each of the keys, in their order.

    Raises:
        LogFormatError: the text cannot be that of a note, or there is no key.
    """
    note = Note(text=text, signatures=tuple(key.sign(text) for key in keys))
    format_note(note)
    return note


def verify_note(
    note: Note, verifiers: Sequence[Verifier], *, where: str = "note"
) -> tuple[Verified, ...]:
    """Return the signatures by known keys, at least one, each verified.

    Signatures by unknown keys are passed over, also where they share a name or an id with a known
    one.

    Raises:
        ProofError: a known key's signature does not fit, or no known key has signed.
        UsageError: two of the keys have the same name and id, so that neither can be told.

    Source: C2SP signed-note, Signatures.
    """
    known: dict[tuple[str, bytes], Verifier] = {}
    for key in verifiers:
        if known.setdefault((key.name, key.key_id), key) != key:
            raise UsageError("two different keys have this name and id", where=shown(key.name))
    verified = []
    for signature in note.signatures:
        signer = known.get((signature.name, signature.key_id))
        if signer is None:
            continue
        if not signer.verifies(note.text, signature.raw):
            raise ProofError(
                f"the signature of {shown(signature.name)} does not fit the text",
                where=where,
                hint="Text or signature were changed; get it again from where it was published.",
            )
        verified.append(Verified(key=signer, signature=signature))
    if not verified:
        raise ProofError(
            "not signed by a known key",
            where=where,
            expected=_names((key.name, key.key_id) for key in verifiers),
            found=_names((each.name, each.key_id) for each in note.signatures),
        )
    return tuple(verified)


def check_key(name: str, key: bytes) -> None:
    """Check that a key has a name that notes can hold, and 32 bytes.

    Raises:
        UsageError: it has not.

    Source: C2SP signed-note, Format: key names.
    """
    if not _is_name(name):
        raise UsageError(
            "not the name of a key",
            expected="UTF-8 without spaces, control characters and plus signs",
            found=shown(name),
        )
    if len(key) != ed25519.KEY_BYTES:
        raise UsageError(
            "not an Ed25519 key",
            where=shown(name),
            expected=f"{ed25519.KEY_BYTES} bytes",
            found=f"{len(key)} bytes",
        )


def _is_name(name: str) -> bool:
    return bool(name) and not any(
        each == "+" or each < " " or each.isspace() or "\ud800" <= each <= "\udfff" for each in name
    )


def _parse_signature(line: str) -> Signature | None:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    decoded = parse_base64(encoded)
    if not (line.startswith(_DASH) and space and _is_name(name) and decoded):
        return None
    if len(decoded) <= KEY_ID_BYTES:
        return None
    return Signature(name=name, key_id=decoded[:KEY_ID_BYTES], raw=decoded[KEY_ID_BYTES:])


def _malformed(where: str, whole: str, at: int, expected: str) -> LogFormatError:
    line = whole[whole.rfind("\n", 0, at) + 1 :].partition("\n")[0]
    number = whole.count("\n", 0, at) + 1
    return LogFormatError(
        "not a signed note",
        where=f"{where}, line {number}",
        expected=expected,
        found=shown(line),
    )


def _names(keys: Iterable[tuple[str, bytes]]) -> str:
    listed = [f"{shown(name)} {key_id.hex()}" for name, key_id in keys]
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more if listed else "no key"
