"""Serve a witness over HTTP, with limits on who stays how long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from provenance.errors import ProvenanceError, UsageError
from provenance.listening import AppServer
from provenance.log.keyfile import read_witness_key_file
from provenance.runtime import Runtime
from provenance.witness.folder import WitnessFolder
from provenance.witness.service import Service, application

CONNECTION_S = 60.0
CONNECTIONS = 64


def witness_server(
    folder: Path,
    key_file: Path,
    runtime: Runtime,
    *,
    host: str,
    port: int,
    announce: Callable[[str], None],
    report: Callable[[str], None],
) -> AppServer:
    """Return the server of the witness in `folder`; what it knows has been read once.

    `announce` gets its URL, `report` a line for what it cosigns, and for what it finds wrong. A log
    that cannot be read is reported, and refused when it asks; the others are served.

    Raises:
        UsageError: it knows no log, or the key is none of a witness.
        LogFormatError, StorageError: nothing of what it knows can be read.
    """
    key = read_witness_key_file(key_file)
    known = WitnessFolder(folder)
    faults: list[ProvenanceError] = []
    logs = list(known.logs(on_fault=faults.append))
    if faults and not logs:
        raise faults[0]
    for fault in faults:
        report(f"error: {fault}")
    if not logs:
        raise UsageError(
            "this witness knows no log",
            where=str(folder),
            hint="`provenance witness add` makes one known.",
        )
    for each in logs:
        if any(key.verifier.public == other.public for other in each.keys):
            raise UsageError("a log is no witness for itself", where=each.origin)
    return AppServer(
        application(Service(known, key, runtime), report),
        host=host,
        port=port,
        announce=announce,
        what="the witness",
        lifespan=False,
        connection_s=CONNECTION_S,
        connections=CONNECTIONS,
    )
