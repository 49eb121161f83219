"""The Datasette plugin: routes, cells and headers. Does nothing where no site is attached."""

from __future__ import annotations

import functools
import inspect
import re
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from datasette import Forbidden, Response, hookimpl
from datasette.plugins import pm
from datasette.utils import await_me_maybe
from datasette.utils.asgi import Request
from markupsafe import Markup

from provenance.errors import ProvenanceError
from provenance.web import (
    byteviews,
    comparing,
    downloads,
    failures,
    feeds,
    machines,
    timegates,
    viewing,
    views,
)
from provenance.web.answers import MissingError, missing, twin
from provenance.web.attachment import Site, site_of
from provenance.web.faults import answer_busy, answer_fault, answer_foreign, error_form
from provenance.web.gate import ODD_HOST, READING, has_plain_host
from provenance.web.policy import PAGE_HEADERS, App, Receive, Scope, with_policy
from provenance.web.render import STATIC
from provenance.web.sending import paced
from provenance.web.signposting import FORMS
from provenance.web.versions import may_read

TYPED_LENGTH = (1 << 26) + (1 << 20)
"""Bytes of one value or row of typed SQL: room for the text of the largest file of UTF-8 that text
is taken out of, and for the rest of its row. A function makes a value in one step, in which no
limit of time stops it. What the pages read themselves may be longer."""

View = Callable[..., Awaitable[Any]]
Hook = TypeVar("Hook", bound=Callable[..., Any])

_CELLS = {
    "capture_id": "/capture/",
    "first_capture_id": "/capture/",
    "content_id": "/content/",
    "document": "/document/",
    "target": "/document/",
    "collection": "/collection/",
}


_FORMS = "|".join(re.escape(form.ending) for form in FORMS if form.ending != "json")
_OF_THIS_HOST = re.compile(r"/(?:[\w~.%-][\w~.%/?=&+-]*)?")
_STAMP = "(?P<stamp>[0-9]{4,14})(?:id_)?"
_PART = "(?:(?P<page>[1-9][0-9]{0,5})/)?"


def _hook(function: Hook) -> Hook:
    return cast(Hook, hookimpl(function))


def hook_before(function: Hook) -> Hook:
    """Mark a function as a hook of Datasette that is called before those of this file."""
    return cast(Hook, hookimpl(function, tryfirst=True))


@_hook
def register_routes(datasette: Any) -> list[tuple[str, View]]:
    """Add the pages' addresses; Datasette tries them before its own."""
    site = site_of(datasette)
    if site is None:
        return []
    routes: list[tuple[str, View]] = [
        (r"^/$", views.home),
        (r"^/search$", views.search),
        (r"^/search\.json$", views.search_json),
        (r"^/collection/(?P<id>[^/]+)$", views.collection),
        (rf"^/document/(?P<id>[^/]+)\.(?P<form>{_FORMS})$", machines.document_form),
        (r"^/document/(?P<id>[^/]+)\.json$", views.document_json),
        (r"^/document/(?P<id>[^/]+)$", views.document),
        (r"^/failures\.json$", failures.failures_json),
        (r"^/failures$", failures.failures),
        (r"^/feed\.atom$", feeds.atom),
        (r"^/collection/(?P<id>[^/]+)/feed\.atom$", feeds.atom),
        (r"^/sitemap\.xml$", feeds.sitemap),
        (r"^/sitemap/(?P<id>[1-9][0-9]{0,5})\.xml$", feeds.sitemap_part),
        (r"^/opensearch\.xml$", feeds.opensearch),
        (rf"^/capture/(?P<id>[^/]+)\.(?P<form>{_FORMS})$", machines.capture_form),
        (r"^/capture/(?P<id>[^/]+)\.json$", views.capture_json),
        (r"^/capture/(?P<id>[^/]+)\.warc\.gz$", downloads.record),
        (r"^/capture/(?P<id>[^/]+)\.txt$", downloads.text),
        (r"^/capture/(?P<id>[^/]+)\.tlog-proof$", downloads.log_proof),
        (r"^/capture/(?P<id>[^/]+)$", views.capture),
        (r"^/diff/(?P<before>[^/]+)/(?P<after>[^/]+)\.json$", comparing.diff_json),
        (r"^/diff/(?P<before>[^/]+)/(?P<after>[^/]+)$", comparing.diff),
        (r"^/content/(?P<id>[^/]+)$", byteviews.content),
        (r"^/view/(?P<id>[^/]+)/raw$", byteviews.raw_view),
        (r"^/view/(?P<id>[^/]+)/assembled$", viewing.assembled_view),
        (r"^/view/(?P<id>[^/]+)/page-(?P<number>[1-9][0-9]{0,5})\.png$", viewing.page_picture),
        (r"^/view/(?P<id>[^/]+)$", viewing.view),
        (rf"^/timegate/{_STAMP}/(?P<url>.+)$", timegates.dated_memento),
        (rf"^(?:/timegate)?/timemap/link/{_PART}(?P<url>.+)$", timegates.timemap_link),
        (rf"^(?:/timegate)?/timemap/json/{_PART}(?P<url>.+)$", timegates.timemap_json),
        (r"^/timegate/(?P<url>.+)$", timegates.timegate),
        (r"^/\.well-known/ni/sha-256/(?P<value>[^/]+)$", machines.named_information),
        (r"^/-/provenance/(?P<name>[^/]+)$", static),
        (r"^/favicon\.ico$", icon),
        (r"^/-/databases(?:\.json)?$", databases),
        (r"^/-/threads(?:\.json)?$", nothing),
    ]
    return [(pattern, _on_site(site, view)) for pattern, view in routes]


async def static(site: Site, request: Any) -> Response:
    """Send a stylesheet, the script or the icon."""
    name = request.url_vars["name"]
    if name not in STATIC:
        raise MissingError("There is no such file.")
    return _asset(site, name)


def _asset(site: Site, name: str) -> Response:
    return Response(
        site.static[name],
        headers={**PAGE_HEADERS, "cache-control": "public, max-age=31536000, immutable"},
        content_type=STATIC[name],
    )


async def icon(site: Site, request: Any) -> Response:
    """Send the icon to those who ask for it by its old name."""
    return _asset(site, "icon.svg")


async def databases(site: Site, request: Any) -> Response:
    """Say what Datasette says of its database, but not in which folder of this machine it lies."""
    database = site.datasette.get_database(site.database)
    await site.hashed()
    said = {name: getattr(database, name) for name in ("name", "route", "size", "hash")}
    kind = {"is_mutable": database.is_mutable, "is_memory": database.is_memory}
    return twin(site, {"databases": [{**said, "path": Path(database.path).name, **kind}]})


async def nothing(site: Site, request: Any) -> Response:
    """Answer as if there were no such page: Datasette's own would name folders of this machine."""
    raise MissingError("There is no such page.")


@_hook
def asgi_wrapper(datasette: Any) -> Callable[[App], App]:
    """Put a policy and a pace on every response of a Datasette with the pages."""
    site = site_of(datasette)
    if site is None:
        return lambda app: app

    def busy(scope: Scope, receive: Receive) -> Response:
        return answer_busy(site, Request(scope, receive))

    return lambda app: with_policy(paced(app, site.sending, busy))


@_hook
def prepare_connection(conn: sqlite3.Connection, database: str, datasette: Any) -> None:
    """Let no typed SQL take all memory, or read in which folder of this machine the index lies."""
    site = site_of(datasette)
    if site is not None and database == site.database:
        conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, TYPED_LENGTH)
        conn.set_authorizer(_without_folder)


def _without_folder(action: int, table: str | None, column: str | None, *_: object) -> int:
    """Say for SQLite's compiler what may be read; what it is told to ignore reads as NULL."""
    if action != sqlite3.SQLITE_READ or column != "file" or table is None:
        return sqlite3.SQLITE_OK
    # SQLite names the table as it was first asked for, in whatever case.
    hidden = table.lower() == "pragma_database_list"
    return sqlite3.SQLITE_IGNORE if hidden else sqlite3.SQLITE_OK


@_hook
def extra_css_urls(datasette: Any) -> list[str]:
    """Give Datasette's pages the colours of ours."""
    site = site_of(datasette)
    return [site.static_path(name) for name in ("colours.css", "tables.css")] if site else []


@_hook
def render_cell(value: Any, column: str, database: str, datasette: Any) -> Markup | None:
    """Link ids in Datasette's tables to the pages."""
    prefix = _CELLS.get(column)
    if prefix is None:  # first of all: this is asked for each cell of a table
        return None
    site = site_of(datasette)
    if site is None or database != site.database:
        return None
    value = value.get("value") if isinstance(value, dict) else value
    if not isinstance(value, str) or not value:
        return None
    href = site.path(prefix + site.templates.filters["segment"](value))
    look = Markup(' class="digest"') if value.startswith("sha256:") else ""
    return Markup('<a{} href="{}">{}</a>').format(look, href, value)


@_hook
def menu_links(datasette: Any) -> list[dict[str, str]]:
    """Offer the way back from Datasette's pages to ours."""
    site = site_of(datasette)
    if site is None:
        return []
    return [
        {"href": site.path("/"), "label": site.title},
        {"href": site.path("/search"), "label": "Search archived texts"},
    ]


@_hook
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Response | None:
    """Tell of errors in our design and without details of this machine."""
    site = site_of(datasette)
    return None if site is None else answer_foreign(site, request, exception)


def _hook_after(function: Hook) -> Hook:
    return cast(Hook, hookimpl(function, trylast=True))


@_hook_after
def forbidden(
    datasette: Any, request: Any, message: str
) -> Callable[[], Awaitable[Response]] | None:
    """Say in our design that something is not open, where no other plugin leads to a login."""
    site = site_of(datasette)
    return None if site is None else functools.partial(_closed, site, request)


async def _closed(site: Site, request: Any) -> Response:
    """Say that something is not open, with what the menus of other plugins offer, as a login."""
    base = site.path("/")
    near: list[tuple[str, str]] = []
    for offered in pm.hook.menu_links(
        datasette=site.datasette, actor=request.actor, request=request
    ):
        links = await await_me_maybe(offered) or ()
        hrefs = [(str(each["href"]), str(each["label"])) for each in links]
        near += [
            (href.removeprefix(base.rstrip("/")), label)
            for href, label in hrefs
            if _OF_THIS_HOST.fullmatch(href)
        ]
    own = {link["href"].removeprefix(base.rstrip("/")) for link in menu_links(site.datasette)}
    closed = MissingError(
        "Readers of this site cannot use this.",
        near=tuple(each for each in near if each[0] not in own),
        status=403,
    )
    return missing(site, closed, form=error_form(site, request))


_PUBLIC = (static, icon)
"""What the page that says no needs itself."""


def _on_site(site: Site, view: View) -> View:
    """Give `view` its site and those who may read it alone, and turn its errors into pages.

    Raises:
        Forbidden: whoever asks may not see the database; Datasette asks its plugins what to answer.
    """
    takes_receive = "receive" in inspect.signature(view).parameters

    async def answer(request: Any, receive: Any) -> Any:
        if request.method not in READING:
            headers = {**PAGE_HEADERS, "allow": ", ".join(READING)}
            return Response("405: This can only be read.\n", status=405, headers=headers)
        if not has_plain_host(request.scope):
            said = f"{ODD_HOST.status}: {ODD_HOST.words}\n"
            return Response(said, status=ODD_HOST.status, headers=dict(PAGE_HEADERS))
        guarded = view not in _PUBLIC
        if guarded and not await may_read(site.datasette, request.actor, site.database):
            raise Forbidden("view-database")
        more = {"receive": receive} if takes_receive else {}
        try:
            answered = await view(site, request, **more)
        except (MissingError, ProvenanceError, OSError, sqlite3.Error) as error:
            answered = answer_fault(site, request, error)
        if guarded and request.actor is not None:
            # What is shown to somebody by name is for nobody who comes after.
            answered.headers["cache-control"] = "private, no-store"
        return answered

    return answer
