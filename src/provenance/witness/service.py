"""Answer what logs send: judge it, write down what is cosigned, then sign. An ASGI application.

Source: C2SP tlog-witness, add-checkpoint; RFC 9110 §15.5 for what that does not tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from provenance.errors import LogFormatError, ProvenanceError
from provenance.log.checkpoint import CosigningKey
from provenance.log.note import Signature
from provenance.log.submission import (
    CALL,
    MAX_SUBMISSION_BYTES,
    SIZE_TYPE,
    Submission,
    format_answer,
    parse_submission,
)
from provenance.log.watched import Refused, SubmissionError, judge, signed_part
from provenance.runtime import Runtime
from provenance.witness.folder import WitnessFolder

BODY_S = 10.0
"""How long a request may take to arrive."""

_TEXT = "text/plain; charset=utf-8"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP status and a body; `told` is for whoever runs the witness, None where nothing is."""

    status: int
    body: bytes
    media_type: str = _TEXT
    told: str | None = None


class Service:
    """A witness: its key, and the folder with what it knows."""

    def __init__(self, folder: WitnessFolder, key: CosigningKey, runtime: Runtime) -> None:
        self._folder = folder
        self._key = key
        self._runtime = runtime

    def add_checkpoint(self, raw: bytes) -> Answer:
        """Return the answer to a request, whatever its bytes are. Many may ask at once.

        The new checkpoint is on disk before it is signed.

        Source: C2SP tlog-witness, add-checkpoint.
        """
        try:
            submission = parse_submission(raw)
        except LogFormatError as fault:
            return _refusal(Refused.MALFORMED, str(fault))
        try:
            made = self.cosign(submission)
        except SubmissionError as fault:
            told = f"{submission.checkpoint.origin}: {fault}" if fault.contradicts else None
            if fault.size is None:
                return _refusal(fault.refused, str(fault), told)
            body = f"{fault.size}\n".encode()
            return Answer(status=fault.refused.value, body=body, media_type=SIZE_TYPE, told=told)
        except (ProvenanceError, OSError) as fault:
            words = b"This witness cannot use what it knows of the log; it cosigned nothing.\n"
            return Answer(status=500, body=words, told=str(fault))
        head = submission.checkpoint
        told = f"{head.origin}: cosigned {head.size} leaves"
        return Answer(status=200, body=format_answer([made]), told=told)

    def cosign(self, submission: Submission) -> Signature:
        """Return the cosignature of what was submitted; the new checkpoint is on disk before it.

        Raises:
            SubmissionError: it is not cosigned; a fork that the log signed is kept as evidence.
            LogFormatError, StorageError, UsageError, OSError: what is known cannot be used.
        """
        head = submission.checkpoint
        with self._folder.changing(head.origin) as (watched, write):
            try:
                after = judge(submission, watched)
            except SubmissionError as fault:
                if fault.contradicts and watched is not None:
                    # A proof that fails may be anybody's; two trees of a size are evidence.
                    proved = fault.refused is Refused.OTHER_SIZE
                    sent = signed_part(submission, watched)
                    self._folder.keep_conflict(watched, sent, proved=proved)
                raise
            write(after)
            # Signed inside the lock: at this instant nothing larger has been cosigned.
            time_s = int(self._runtime.now().timestamp())
            return self._key.cosign(submission.note.text, time_s)


def _refusal(refused: Refused, words: str, told: str | None = None) -> Answer:
    return Answer(status=refused.value, body=f"{words}\n".encode(), told=told)


def application(
    service: Service, report: Callable[[str], None], *, body_s: float = BODY_S
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return the ASGI application of a witness: POST /add-checkpoint, and nothing else.

    `report` gets what the answers tell whoever runs it, a line each. A
    request has `body_s` seconds to arrive.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        answer = await _answer(service, scope, receive, body_s)
        await _send(answer, send)
        if answer.told is not None:
            with suppress(OSError):  # nobody may be there to be told
                report(answer.told)

    return app


async def _answer(service: Service, scope: Scope, receive: Receive, body_s: float) -> Answer:
    if scope["path"] != f"/{CALL}":
        return Answer(status=404, body=f"This is a witness: POST to /{CALL}.\n".encode())
    if scope["method"] != "POST":
        return Answer(status=405, body=b"A checkpoint is sent by POST.\n")
    try:
        raw = await asyncio.wait_for(_body(receive), body_s)
    except TimeoutError:
        return Answer(status=408, body=b"The request took too long.\n")
    if raw is None:
        limit = f"A request has at most {MAX_SUBMISSION_BYTES} bytes.\n".encode()
        return Answer(status=413, body=limit)
    return await asyncio.to_thread(service.add_checkpoint, raw)


async def _body(receive: Receive) -> bytes | None:
    """Return the body of a request, None where it is longer than is read."""
    raw = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""  # nobody reads the answer any more
        raw += message.get("body", b"")
        if len(raw) > MAX_SUBMISSION_BYTES:
            return None
        if not message.get("more_body"):
            return bytes(raw)


async def _send(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    if answer.status == 405:
        headers.append((b"allow", b"POST"))
    if answer.status in (408, 413):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
