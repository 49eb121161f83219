"""Parse, write, sign, cosign and verify checkpoints, which name a log's size and root.

Pure: opens no file; the instant of a cosignature is an argument.

Source: C2SP tlog-checkpoint, C2SP tlog-cosignature.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from provenance.errors import LogFormatError, ProofError, UsageError
from provenance.log import ed25519
from provenance.log.merkle import EMPTY_ROOT
from provenance.log.note import (
    ED25519,
    Note,
    Signature,
    SigningKey,
    Verified,
    Verifier,
    VerifierKey,
    check_key,
    format_key_line,
    format_note,
    key_id_of,
    parse_note,
    sign_note,
    split_key_line,
    split_signing_line,
    verify_note,
)
from provenance.log.strict import (
    HASH_BYTES,
    MAX_SIZE,
    parse_base64,
    parse_decimal,
    shown,
    to_base64,
)

COSIGNATURE = 0x04
"""Signature type of timestamped Ed25519 cosignatures (C2SP tlog-cosignature, Format)."""

_TIME_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log says of itself: its origin, the number of leaves, and the root, 32 bytes.

    Extension lines are opaque, and advised against by the specification.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A witness' word that at `time_s` (POSIX seconds) this was the largest tree it had seen."""

    key: CosignerKey
    time_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint whose signatures by known keys have been verified, at least one by its log.

    `cosigned` has each witness once, whatever number of times and under whatever names it signed:
    its latest word.
    """

    checkpoint: Checkpoint
    note: Note
    signed_by: tuple[VerifierKey, ...]
    cosigned: tuple[Cosigned, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignerKey:
    """A witness' public Ed25519 key, for cosignatures and nothing else.

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
        return key_id_of(self.name, COSIGNATURE, self.public)

    @property
    def line(self) -> str:
        """The verifier key line, without a line end."""
        return format_key_line(self.name, self.key_id, COSIGNATURE, self.public)

    def verifies(self, text: str, raw: bytes) -> bool:
        """Say whether `raw` is a `timestamped_signature` of the text by this key.

        Source: C2SP tlog-cosignature, Format.
        """
        time_s = _time_of(raw)
        message = cosigned_message(text, time_s)
        return time_s <= MAX_SIZE and ed25519.fits(self.public, raw[_TIME_BYTES:], message)


@dataclass(frozen=True, slots=True, kw_only=True)
class CosigningKey:
    """A witness' private Ed25519 key, given by its seed of 32 bytes.

    Raises:
        UsageError: no key has this name, or the seed is not 32 bytes.
    """

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_key(self.name, self.seed)

    @property
    def verifier(self) -> CosignerKey:
        """The public key."""
        return CosignerKey(name=self.name, public=ed25519.public_key_of(self.seed))

    @property
    def line(self) -> str:
        """The signer key line, without a line end: a secret."""
        key_id = self.verifier.key_id
        return "PRIVATE+KEY+" + format_key_line(self.name, key_id, COSIGNATURE, self.seed)

    def cosign(self, text: str, time_s: int) -> Signature:
        """Return the cosignature of a checkpoint's text, made at `time_s` (POSIX seconds).

        Raises:
            LogFormatError: the text is no checkpoint.
            UsageError: the instant cannot be written.

        Source: C2SP tlog-cosignature, Format and Ed25519 signed message.
        """
        parse_checkpoint(text)
        if not 0 <= time_s <= MAX_SIZE:
            raise UsageError(
                "not an instant of a cosignature",
                expected="seconds since 1970-01-01T00:00:00Z",
                found=str(time_s),
            )
        made = ed25519.sign(self.seed, cosigned_message(text, time_s))
        raw = time_s.to_bytes(_TIME_BYTES, "big") + made
        return Signature(name=self.name, key_id=self.verifier.key_id, raw=raw)


def is_by_a_signer(note: Note, key: CosignerKey) -> bool:
    """Say whether who holds a witness' key also signed the note as its log: no witness at all."""
    message = note.text.encode()
    return any(ed25519.fits(key.public, each.raw, message) for each in note.signatures)


def cosigned_message(text: str, time_s: int) -> bytes:
    """Return what an Ed25519 cosignature signs.

    Source: C2SP tlog-cosignature, Ed25519 signed message.
    """
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def parse_key(line: str) -> VerifierKey | CosignerKey:
    """Return the key, of a log or of a witness, that a verifier key line gives.

    Raises:
        UsageError: it is no such line, or one of another signature type.

    Source: C2SP signed-note, Verifier keys; C2SP tlog-cosignature, Format.
    """
    name, _, algorithm, public = split_key_line(line)
    if algorithm == ED25519:
        return VerifierKey(name=name, public=public)
    if algorithm == COSIGNATURE:
        return CosignerKey(name=name, public=public)
    raise UsageError(
        "a verifier key of another kind",
        where=shown(name),
        expected="signature type 1 (a log's Ed25519 key) or 4 (a witness')",
        found=str(algorithm),
    )


def parse_cosigner_key(line: str) -> CosignerKey:
    """Return the witness' public key that a verifier key line, without a line end, gives.

    Raises:
        UsageError: it is no such line, or the key of a log.
    """
    key = parse_key(line)
    if isinstance(key, CosignerKey):
        return key
    raise UsageError(
        "the key of a log, and not of a witness",
        where=shown(key.name),
        expected="a line of `provenance key show` for a key made with --witness",
        hint="The operator's key is given with --key.",
    )


def parse_cosigning_key(line: str) -> CosigningKey:
    """Return the witness' private key that a signer key line, without a line end, gives.

    Raises:
        UsageError: it is no such line. Nothing of the line is in the message, since it is secret.
    """
    name, seed = split_signing_line(line, COSIGNATURE)
    return CosigningKey(name=name, seed=seed)


def text_of(raw: bytes, *, where: str = "checkpoint") -> str:
    """Return the text of a checkpoint as it is kept: a signed note or, unsigned, the text alone.

    Raises:
        LogFormatError: it is neither.
    """
    if b"\n\n" in raw:
        return parse_note(raw, where=where).text
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise LogFormatError("not a checkpoint", where=where, expected="UTF-8") from None


def parse_checkpoint(text: str, *, where: str = "checkpoint") -> Checkpoint:
    """Return what the text of a checkpoint, without the signatures, says.

    Raises:
        LogFormatError: it is no checkpoint.

    Source: C2SP tlog-checkpoint, Note text.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or "" in lines:
        raise LogFormatError(
            "not a checkpoint",
            where=where,
            expected="three or more lines, none of them empty: origin, size, root",
        )
    size, root = parse_decimal(lines[1]), parse_base64(lines[2])
    if size is None:
        raise LogFormatError(
            "not the size of a tree",
            where=f"{where}, line 2",
            expected=f"a number from 0 to {MAX_SIZE} without leading zeroes",
            found=shown(lines[1]),
        )
    if root is None or len(root) != HASH_BYTES:
        raise LogFormatError(
            "not a root",
            where=f"{where}, line 3",
            expected=f"the Base64 of {HASH_BYTES} bytes",
            found=shown(lines[2]),
        )
    if size == 0 and root != EMPTY_ROOT:
        raise LogFormatError(
            "not the root of the tree without leaves",
            where=f"{where}, line 3",
            expected=to_base64(EMPTY_ROOT),
            found=shown(lines[2]),
        )
    return Checkpoint(origin=lines[0], size=size, root=root, extensions=tuple(lines[3:]))


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """Return the text of a checkpoint, without signatures.

    Raises:
        LogFormatError: it cannot be written as a checkpoint that reads back the same.

    Source: C2SP tlog-checkpoint, Note text.
    """
    root = to_base64(checkpoint.root)
    lines = (checkpoint.origin, str(checkpoint.size), root, *checkpoint.extensions)
    text = "".join(f"{line}\n" for line in lines)
    if parse_checkpoint(text) != checkpoint:
        raise LogFormatError("the checkpoint cannot be written", expected="lines without breaks")
    return text


def sign_checkpoint(checkpoint: Checkpoint, keys: Iterable[SigningKey]) -> bytes:
    """Return a checkpoint signed by each of the log's keys, as it is published.

    Raises:
        LogFormatError: it cannot be written, or there is no key.

    Source: C2SP tlog-checkpoint, Signatures.
    """
    return format_note(sign_note(format_checkpoint(checkpoint), keys))


def open_checkpoint(
    raw: bytes,
    keys: Sequence[VerifierKey | CosignerKey],
    *,
    origin: str | None = None,
    where: str = "checkpoint",
) -> SignedCheckpoint:
    """Verify a checkpoint, as it is published, with the keys of its log and of witnesses.

    `origin` is the log that is meant; where it is None, a key's name must be the origin. Witnesses
    alone do not make a checkpoint the log's.

    Raises:
        LogFormatError: it is no checkpoint.
        ProofError: a known key's signature does not fit, or none is by a key of this log.

    Source: C2SP tlog-checkpoint, Signatures; C2SP tlog-cosignature.
    """
    note = parse_note(raw, where=where)
    checkpoint = parse_checkpoint(note.text, where=where)
    known: Sequence[Verifier] = keys
    verified = verify_note(note, known, where=where)
    signed_by = [each.key for each in verified if isinstance(each.key, VerifierKey)]
    if not signed_by:
        raise ProofError(
            "signed by witnesses alone", where=where, expected="a signature by the log's own key"
        )
    origins = [each.name for each in signed_by] if origin is None else [origin]
    if checkpoint.origin not in origins:
        raise ProofError(
            "a checkpoint of another log",
            where=where,
            expected=" or ".join(shown(each) for each in dict.fromkeys(origins)),
            found=shown(checkpoint.origin),
        )
    return SignedCheckpoint(
        checkpoint=checkpoint,
        note=note,
        signed_by=tuple(dict.fromkeys(signed_by)),
        cosigned=_latest(verified),
    )


def cosignatures_of(
    note: Note, keys: Sequence[CosignerKey], *, where: str = "checkpoint"
) -> tuple[Cosigned, ...]:
    """Return what these witnesses said of a note's text, each once; none where none has signed.

    Nothing is said of the log's own signature.

    Raises:
        ProofError: a signature by one of the keys does not fit.

    Source: C2SP tlog-cosignature, Format.
    """
    ids = {(key.name, key.key_id) for key in keys}
    if not any((each.name, each.key_id) in ids for each in note.signatures):
        return ()
    known: Sequence[Verifier] = keys
    return _latest(verify_note(note, known, where=where))


def _latest(verified: Iterable[Verified]) -> tuple[Cosigned, ...]:
    """Return the latest word of each witness among verified signatures."""
    cosigned: dict[bytes, Cosigned] = {}
    for each in verified:
        if isinstance(each.key, CosignerKey):
            said = Cosigned(key=each.key, time_s=_time_of(each.signature.raw))
            before = cosigned.get(said.key.public)
            if before is None or before.time_s < said.time_s:
                cosigned[said.key.public] = said
    return tuple(cosigned.values())


def _time_of(raw: bytes) -> int:
    return int.from_bytes(raw[:_TIME_BYTES], "big")
