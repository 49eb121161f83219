"""Send archived bytes piece by piece, and never completely unless their hash agrees."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping

from provenance.errors import ProvenanceError
from provenance.web.policy import Receive, Send
from provenance.web.sending import BLOCK


class BrokenContentError(ProvenanceError):
    """The bytes in the archive are not the bytes that the index names."""


class ByteStream:
    """A response of known size and digest; Datasette calls `asgi_send`.

    Without a `content_id` the pieces prove themselves: they end with an error where they are wrong.
    `pieces` is read in threads, at most one piece ahead; call `read_ahead` first. The last block is
    held back until size and digest agree; if they do not, the connection breaks off, so that no
    client can take the bytes for whole.
    """

    def __init__(
        self,
        pieces: Iterator[bytes],
        *,
        size: int,
        content_id: str | None,
        headers: Mapping[str, str],
        receive: Receive,
        head_only: bool = False,
    ) -> None:
        self.status = 200
        self.headers = {**headers, "content-length": str(size)}
        self._pieces = pieces
        self._size = size
        self._content_id = content_id
        self._receive = receive
        self._head_only = head_only
        self._digest = hashlib.sha256()
        self._read = 0
        self._ahead = b""
        self._rest = memoryview(b"")

    async def read_ahead(self) -> None:
        """Read the first block, so that a fault can still be answered with an error page.

        Raises:
            ProvenanceError: as for `asgi_send`.
        """
        if not self._head_only:
            self._ahead = await self._next_block()

    async def asgi_send(self, send: Send) -> None:
        """Send head and body.

        Raises:
            ProvenanceError: the bytes cannot be read, or are not those the index names.
        """
        gone = asyncio.ensure_future(self._client_gone())
        try:
            await send(self._start())
            block = self._ahead
            while block and not gone.done():
                following = await self._next_block()
                await send({"type": "http.response.body", "body": block, "more_body": True})
                block = following
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            close = getattr(self._pieces, "close", None)
            if close is not None:
                await asyncio.to_thread(close)

    def _start(self) -> dict[str, object]:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        return {"type": "http.response.start", "status": self.status, "headers": headers}

    async def _client_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _next_block(self) -> bytes:
        if len(self._rest) >= BLOCK:  # nothing is read for it, and a thread would cost more
            return self._read_block()
        return await asyncio.to_thread(self._read_block)

    def _read_block(self) -> bytes:
        block = bytearray()
        ended = False
        while len(block) < BLOCK and not ended:
            if not self._rest:
                piece = next(self._pieces, None)
                ended, self._rest = piece is None, memoryview(piece or b"")
            room = BLOCK - len(block)
            block += self._rest[:room]
            self._rest = self._rest[room:]
        self._digest.update(block)
        self._read += len(block)
        if ended or self._read > self._size:
            self._check()
        return bytes(block)

    def _check(self) -> None:
        found = f"sha256:{self._digest.hexdigest()}"
        if self._read != self._size or self._content_id not in (None, found):
            raise BrokenContentError(
                "the stored content is not what the index names",
                where=self._content_id,
                expected=f"{self._size} bytes",
                found=f"{self._read} bytes with {found}",
                hint="Run `provenance verify`.",
            )
