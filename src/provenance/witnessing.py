"""Have checkpoints cosigned by witnesses, and keep what they sign with the checkpoint.

Source: C2SP tlog-witness, add-checkpoint; C2SP tlog-cosignature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from provenance.dates import format_instant, from_epoch
from provenance.errors import ProofError, ProvenanceError, UsageError
from provenance.exchange.credentials import without_credentials
from provenance.exchange.posting import Reply, post
from provenance.log.checkpoint import (
    Checkpoint,
    Cosigned,
    CosignerKey,
    cosignatures_of,
    format_checkpoint,
    is_by_a_signer,
    parse_checkpoint,
    text_of,
)
from provenance.log.damage import prove_consistency
from provenance.log.folder import CHECKPOINT, CHECKPOINTS, LogFolder
from provenance.log.note import Note, Signature, format_note, parse_note
from provenance.log.strict import shown
from provenance.log.submission import (
    CALL,
    SIZE_TYPE,
    format_submission,
    parse_answer,
    parse_size,
)
from provenance.runtime import Runtime
from provenance.warc.manifest import locked

CLOCKS_APART = timedelta(minutes=10)
"""How far in the future a witness' time may be."""

TIMEOUT_S = 60.0

Post = Callable[[str, bytes], Reply]
"""Send a request to a URL by HTTP POST, and return the answer, whatever its status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A witness' word on the checkpoint over `size` leaves; `new` where it was not kept before."""

    witness: str
    key: str
    size: int
    cosigned_at: str
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Witness:
    """A witness that is asked: the address of the call, its key, and the way there."""

    address: str
    key: CosignerKey
    ask: Post


def address_of(url: str) -> str:
    """Return the address of the call below a witness' submission prefix.

    Raises:
        UsageError: the URL is none of HTTP or HTTPS, or has a login, a query or a fragment.

    >>> address_of("https://witness.example/w1/")
    'https://witness.example/w1/add-checkpoint'
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    plain = parts.scheme in ("http", "https") and "@" not in parts.netloc
    if not (host and plain) or "?" in url or "#" in url:
        raise UsageError(
            "not the address of a witness",
            expected="an http or https URL, the witness' submission prefix",
            found=shown(without_credentials(url)),
        )
    return f"{url.removesuffix(f'/{CALL}').rstrip('/')}/{CALL}"


def add_cosignature(
    metadata: Path,
    runtime: Runtime,
    url: str,
    key: CosignerKey,
    *,
    ask: Post | None = None,
) -> Witnessed:
    """Have the newest checkpoint cosigned by the witness at `url`, whose key is known; keep it.

    A witness that has cosigned it already is not asked again. The archive is not held while the
    witness is asked, so that a run may end meanwhile.

    Raises:
        UsageError: there is no signed checkpoint, or the URL is none.
        ProofError: the witness says that the log does not go on from what it has seen, or its
            cosignature does not fit.
        ProvenanceError: no answer came, the witness refuses, or the disk does.
    """
    witness = _Witness(address=address_of(url), key=key, ask=ask or _posted_by(runtime))
    folder = LogFolder(metadata)
    head, note = _signed(folder)
    _refuse_own(note, key)
    said = _said_here(folder, head, note, key)
    if said is not None:
        _keep(metadata, folder, head, ())
        return _witnessed(said, head, new=False)
    answer = _asked(folder, head, note, witness)
    signatures, said = _cosignatures(answer, note, witness, runtime)
    _keep(metadata, folder, head, signatures)
    return _witnessed(said, head, new=True)


def keep_answer(metadata: Path, runtime: Runtime, answer: bytes, key: CosignerKey) -> Witnessed:
    """Keep what a witness signed without being asked over a network, with its checkpoint.

    What it signed there before stands: the earlier word says more.

    Raises:
        UsageError: there is no signed checkpoint.
        LogFormatError: it is no sequence of signature lines.
        ProofError: it is on none of the kept checkpoints, or not by this key.
        StorageError: the disk refused.
    """
    folder = LogFolder(metadata)
    head, note = _signed(folder)
    _refuse_own(note, key)
    witness = _Witness(address="the answer", key=key, ask=_posted_by(runtime))
    for size in (head.size, *reversed(folder.sizes())):
        older = note if size == head.size else _kept(folder, f"{CHECKPOINTS}/{size}")
        if older is not None and _fits(answer, older, key):
            head = parse_checkpoint(older.text)
            before = _said_here(folder, head, older, key)
            signatures, said = _cosignatures(answer, older, witness, runtime)
            _keep(metadata, folder, head, signatures if before is None else ())
            return _witnessed(before or said, head, new=before is None)
    _cosignatures(answer, note, witness, runtime)  # says what is wrong with it
    raise ProofError("on none of the checkpoints of this log", where="the answer")


def _refuse_own(note: Note, key: CosignerKey) -> None:
    if is_by_a_signer(note, key):
        raise UsageError(
            "the log's own operator is no witness",
            expected="the key of somebody else",
            found=key.line,
        )


def _fits(answer: bytes, note: Note, key: CosignerKey) -> bool:
    return _said(parse_answer(answer, note.text), key) is not None


def _posted_by(runtime: Runtime) -> Post:
    return lambda address, body: post(
        address, body, runtime, media_type="text/plain", timeout_s=TIMEOUT_S
    )


def _signed(folder: LogFolder) -> tuple[Checkpoint, Note]:
    newest = folder.newest()
    if newest is None or b"\n\n" not in newest[1]:
        raise UsageError(
            "there is no signed checkpoint to cosign",
            where=str(folder.path),
            hint="`provenance log checkpoint --key FILE` makes one.",
        )
    head, raw = newest
    folder.check(head)
    note = parse_note(raw, where=str(folder.path / CHECKPOINT))
    return head, _joined(note, _kept(folder, f"{CHECKPOINTS}/{head.size}"))


def _kept(folder: LogFolder, name: str) -> Note | None:
    raw = folder.read(name)
    return parse_note(raw, where=str(folder.path / name)) if raw and b"\n\n" in raw else None


def _joined(note: Note, other: Note | None) -> Note:
    """Return a note with the signatures of another of the same text; each stands once."""
    if other is None or other.text != note.text:
        return note
    return replace(note, signatures=tuple(dict.fromkeys((*note.signatures, *other.signatures))))


def _said_here(
    folder: LogFolder, head: Checkpoint, note: Note, key: CosignerKey
) -> Cosigned | None:
    """Return what the witness said of a checkpoint that is kept here.

    Raises:
        ProofError: a line in its name does not fit, so that no other is put beside it.
    """
    where = str(folder.path / CHECKPOINTS / str(head.size))
    return next(iter(cosignatures_of(note, [key], where=where)), None)


def _said(note: Note, key: CosignerKey) -> Cosigned | None:
    """Return what the witness said already; what does not fit is as if it were not there."""
    try:
        return next(iter(cosignatures_of(note, [key])), None)
    except ProofError:
        return None


def _asked(folder: LogFolder, head: Checkpoint, note: Note, witness: _Witness) -> bytes:
    """Return the witness' answer; where it tells another size, it is asked once more from there."""
    old = _last_seen(folder, head, witness.key)
    for again in (True, False):
        _, path = prove_consistency(folder, old, head)
        reply = witness.ask(witness.address, format_submission(old, path, format_note(note)))
        if reply.status == 200:
            return reply.body
        size = parse_size(reply.body) if reply.media_type == SIZE_TYPE else None
        if reply.status != 409 or size is None:
            raise _refused(reply, witness.address)
        if size > head.size:
            raise ProofError(
                "the witness says that it has cosigned a larger log than this one",
                where=witness.address,
                expected=f"at least {size} leaves",
                found=f"{head.size}",
                hint="The log was rolled back, or this is an old copy of it; find the newest.",
            )
        if size == old == head.size:
            raise ProofError(
                "the witness says that it has cosigned another log of this size and name",
                where=witness.address,
                found=f"{size} leaves",
                hint="If so, two histories were signed. Keep this archive and ask the witness.",
            )
        if not again or size == old:
            break
        old = size
    raise ProvenanceError("the witness tells one size after another", where=witness.address)


def _last_seen(folder: LogFolder, head: Checkpoint, key: CosignerKey) -> int:
    """Return the size of the largest kept checkpoint that the witness has cosigned, else 0."""
    for size in reversed(folder.sizes()):
        note = _kept(folder, f"{CHECKPOINTS}/{size}") if size < head.size else None
        if note is not None and _said(note, key) is not None:
            return size
    return 0


_WHY = {
    400: "the witness does not understand the request",
    403: "the witness knows the log by another key",
    404: "the witness does not know this log, or is not at this address",
    409: "the witness says that the log does not go on from what it has cosigned",
    422: "the witness says that the log does not go on from what it has cosigned",
}


def _refused(reply: Reply, address: str) -> ProvenanceError:
    words = reply.body[:300].decode("utf-8", "replace").strip()
    kind = ProofError if reply.status in (409, 422) else ProvenanceError
    hint = "Give it the public key line and the origin of the log."
    return kind(
        _WHY.get(reply.status, "the witness refuses"),
        where=address,
        expected="a cosignature",
        found=f"status {reply.status}: {words}" if words else f"status {reply.status}",
        hint=hint if reply.status in (403, 404) else None,
    )


def _cosignatures(
    answer: bytes, note: Note, witness: _Witness, runtime: Runtime
) -> tuple[tuple[Signature, ...], Cosigned]:
    """Return the signature lines by the key, verified, and the latest word; others are ignored.

    Source: C2SP tlog-witness, add-checkpoint: cosignatures from unknown keys.
    """
    key, address = witness.key, witness.address
    answered = parse_answer(answer, note.text)
    said = cosignatures_of(answered, [key], where=address)
    if not said:
        raise ProofError(
            "the witness did not sign with the key that is known",
            where=address,
            expected=key.line,
            found=", ".join(f"{each.name} {each.key_id.hex()}" for each in answered.signatures[:3]),
            hint="Ask the witness for its public key line, by another way than this address.",
        )
    latest = from_epoch(said[0].time_s)
    if latest > runtime.now() + CLOCKS_APART:
        raise ProofError(
            "the clocks of the witness and of this machine disagree",
            where=address,
            expected=f"not after {format_instant(runtime.now() + CLOCKS_APART)}",
            found=format_instant(latest),
            hint="Set this machine's clock, or tell the witness.",
        )
    own = tuple(
        each for each in answered.signatures if (each.name, each.key_id) == (key.name, key.key_id)
    )
    return own, said[0]


def _keep(
    metadata: Path, folder: LogFolder, head: Checkpoint, signatures: tuple[Signature, ...]
) -> None:
    """Put signatures below the kept checkpoint, and below the newest where it is the same.

    The newest comes last: killed in between, a command leaves a note of `verify`, and the next one
    goes on from there.
    """
    text = format_checkpoint(head)
    with locked(metadata):
        whole = Note(text=text, signatures=())
        same = []
        for name in (f"{CHECKPOINTS}/{head.size}", CHECKPOINT):
            raw = folder.read(name)
            if raw is None or text_of(raw) == text:
                same.append(name)
                whole = _joined(whole, _kept(folder, name))
            elif name != CHECKPOINT:  # the newest may have grown meanwhile
                raise ProofError(
                    "the kept checkpoint is another one now", where=str(folder.path / name)
                )
        whole = _joined(whole, replace(whole, signatures=signatures))
        raw = format_note(whole)
        for name in same:
            if folder.read(name) != raw:
                folder.put(name, raw)


def _witnessed(said: Cosigned, head: Checkpoint, *, new: bool) -> Witnessed:
    return Witnessed(
        witness=said.key.name,
        key=said.key.line,
        size=head.size,
        cosigned_at=format_instant(from_epoch(said.time_s)),
        new=new,
    )
