"""Keep each distinct certificate chain once for a run and collection, in a record of its own."""

from __future__ import annotations

import threading

from provenance.digest import Digest
from provenance.exchange.values import TlsSession
from provenance.fetch.notes import chain_id, chain_pem
from provenance.warc.draft import chain_draft
from provenance.warc.writer import WarcWriter


class Chains:
    """The chains that one writer has records of; safe for threads.

    The record is written before any capture that names it, so that no capture in the file points at
    a chain that is not there.
    """

    def __init__(self, run: str, collection: str, writer: WarcWriter) -> None:
        self._run = run
        self._collection = collection
        self._writer = writer
        self._lock = threading.Lock()
        self._kept: set[Digest] = set()

    def keep(self, tls: TlsSession | None, date: str) -> None:
        """Write the chain's record unless it is there.

        Raises:
            StorageError: the disk refused.
        """
        digest = chain_id(tls.certificates) if tls else None
        if tls is None or digest is None:
            return
        with self._lock:
            if digest in self._kept:
                return
            pem = chain_pem(tls.certificates)
            with self._writer.group() as group:
                group.add(chain_draft(self._run, self._collection, date, pem))
            self._kept.add(digest)
