"""What the Datasettes that the pages run on do differently, 0.65 and 1.0: asked for here alone."""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import sqlite3
from collections.abc import Mapping
from typing import Any

from datasette import Forbidden


async def may_read(datasette: Any, actor: Mapping[str, Any] | None, database: str) -> bool:
    """Whether whoever asks may see this database, by Datasette's own rules and its plugins'."""
    if hasattr(datasette, "allowed"):  # 1.0: actions on resources
        from datasette.resources import DatabaseResource

        resource = DatabaseResource(database=database)
        return bool(await datasette.allowed(action="view-database", resource=resource, actor=actor))
    try:  # 0.65: the rule for the database, and where it has none that for the instance
        await datasette.ensure_permissions(actor, [("view-database", database), "view-instance"])
    except Forbidden:
        return False
    return True


async def close_datasette(datasette: Any) -> None:
    """Let go of a Datasette's file: end the threads, close the connections."""
    if hasattr(datasette, "invoke_shutdown"):  # 1.0
        await datasette.invoke_shutdown()
        return
    if hasattr(datasette, "close"):  # alphas of 1.0 before 1.0a40
        datasette.close()
        return
    # 0.65 never ends its writing thread; the thread can only end itself.
    internal = datasette.get_database("_internal")
    await internal.execute_write_fn(lambda conn: _thread.exit(), block=False)
    if datasette.executor is not None:
        await asyncio.to_thread(datasette.executor.shutdown, cancel_futures=True)
    for database in datasette.databases.values():
        with contextlib.suppress(sqlite3.Error):
            database.close()
