"""Say what went wrong: to readers in the pages' design and without paths, to the log in full."""

from __future__ import annotations

import logging
import re
import sqlite3
from typing import Any

from datasette import NotFound, Response
from datasette.views.base import DatasetteError

from provenance.errors import IndexMissingError, ProvenanceError
from provenance.web.answers import MUCH, ErrorForm, MissingError, busy, missing
from provenance.web.attachment import Site
from provenance.web.render import segment

LOG = logging.getLogger("provenance.web")

_TIMEMAP = re.compile(r"/?(?:timegate/)?timemap/(json|link)/")
_BYTES = re.compile(r"/(?:view/|content/|capture/[^/]+\.warc\.gz\Z)")
_JSON = (".json", ".jsonld")
_BROKEN = "The site met an error that is not yours. Whoever runs it finds it in the log."
_NO_INDEX = (
    "The index of this site is not there, or cannot be read at the moment. It may be being made"
    " anew: ask again later. Whoever runs the site makes it with `provenance index`."
)
_UNREADABLE = frozenset(
    (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
)
_ASKED_AMISS = ("Cannot sort ", "Cannot use _sort ")
_NOWHERE = "There is no page at this address."


def answer_fault(site: Site, request: Any, error: Exception) -> Response:
    """Return the answer that tells of an error in one of our views, in the form asked for."""
    return missing(site, _in_our_views(site, request, error), form=error_form(site, request))


def answer_foreign(site: Site, request: Any, error: Exception) -> Response | None:
    """Return the page that tells of an error in one of Datasette's views; None leaves it to them.

    Theirs stay the errors that come as HTML or JSON of their own making.
    """
    if isinstance(error, ProvenanceError):  # found while the answer was already being made
        return answer_fault(site, request, error)
    status = getattr(error, "status", 500)
    form = error_form(site, request)
    said = getattr(error, "message", None) or (error.args[0] if error.args else "")
    if isinstance(error, DatasetteError) and status == 500 and str(said).startswith(_ASKED_AMISS):
        # Datasette takes an order that there is not for a fault of its own.
        near = ((f"/{site.database}", "Tables and SQL"),)
        return missing(site, MissingError(str(said), near=near, status=400), form=form)
    if status < 500 and (form == "json" or getattr(error, "message_is_html", False)):
        return None
    if is_unreadable(error):
        log_fault(request.path, error)
        return missing(site, MissingError(_NO_INDEX, status=503), form=form)
    if status >= 500:
        return missing(site, MissingError(_BROKEN, status=500), form=form)
    below = request.path.startswith((site.path(f"/{site.database}/"), site.path("/-/")))
    if isinstance(error, NotFound) and not below:
        said = _NOWHERE
    tables = ((f"/{site.database}", "Tables and SQL"),) if below or status == 400 else ()
    return missing(site, MissingError(str(said) or _NOWHERE, near=tables, status=status))


def answer_busy(site: Site, request: Any) -> Response:
    """Return the answer for who asks for something large while many are being sent such."""
    return missing(site, busy(MUCH), form=error_form(site, request))


def is_unreadable(error: Exception) -> bool:
    """Whether SQLite says that the file is damaged, was cut short, or cannot be read.

    Source: SQLite, Result and Error Codes; an extended code has the primary in its lowest byte.
    """
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.Error) and code is not None and code & 0xFF in _UNREADABLE


def _is_empty(error: Exception) -> bool:
    """Whether a statement of ours found no table; SQLite takes a file without a byte for such."""
    return isinstance(error, sqlite3.OperationalError) and str(error).startswith("no such table")


def log_fault(path: str, error: Exception) -> None:
    """Tell whoever runs the site what went wrong at a path."""
    LOG.error("%s: %s", path.encode("ascii", "backslashreplace").decode(), error)


def _in_our_views(site: Site, request: Any, error: Exception) -> MissingError:
    if isinstance(error, MissingError):
        return error
    if isinstance(error, sqlite3.OperationalError) and error.args == ("interrupted",):
        return MissingError("This takes longer than a page may take. Ask for less.", status=503)
    log_fault(request.path, error)
    if isinstance(error, IndexMissingError) or is_unreadable(error) or _is_empty(error):
        return MissingError(_NO_INDEX, status=503)
    if isinstance(error, ProvenanceError):
        what = f"What is stored cannot be shown: {_without_folders(error)}"
        return MissingError(what, near=_evidence(site, request), status=500)
    return MissingError(_BROKEN, status=500)


def _evidence(site: Site, request: Any) -> tuple[tuple[str, str], ...]:
    """Return the way to the evidence page from an address of a capture's bytes."""
    named = _BYTES.match("/" + str(request.path).removeprefix(site.path("/")))
    if named is None or "id" not in request.url_vars:
        return ()
    return ((f"/capture/{segment(request.url_vars['id'])}", "the evidence of this capture"),)


def _without_folders(error: ProvenanceError) -> str:
    """Return an error's words; of a path only the file's name, for folders may name a person."""
    told = ProvenanceError(
        error.what,
        where=(error.where or "").rpartition("/")[2] or None,
        expected=error.expected,
        found=error.found,
    )
    return str(told)


def error_form(site: Site, request: Any) -> ErrorForm:
    """Return the form in which an address answers: an original's address in it says nothing."""
    path = str(request.path).removeprefix(site.path("/"))
    listed = _TIMEMAP.match(path)
    if listed is not None:
        return "json" if listed[1] == "json" else "text"
    return "json" if path.endswith(_JSON) and not path.startswith("timegate/") else "page"
