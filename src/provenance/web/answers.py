"""Make responses for the pages: HTML with the strict policy, JSON twins, errors in our design."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from datasette import Response

from provenance.web.attachment import Site
from provenance.web.policy import PAGE_HEADERS
from provenance.web.render import coverage_segments

FORMS = (
    ("text", "Plain text"),
    ("markdown", "Markdown"),
    ("html", "HTML"),
    ("bibtex", "BibTeX"),
    ("ris", "RIS"),
    ("csl-json", "CSL-JSON"),
)


RETRY_S = "10"
"""Seconds after which somebody who came while much was going on may come again."""

MUCH = "Much is being sent to others at this moment."

ErrorForm = Literal["page", "json", "text"]
"""The form of an answer that tells of an error."""


class MissingError(Exception):
    """There is no such page; `near` are (path, label) pairs that may have been meant.

    `headers` go with the answer that says so.
    """

    def __init__(
        self,
        what: str,
        *,
        near: tuple[tuple[str, str], ...] = (),
        status: int = 404,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.near = near
        self.status = status
        self.headers = headers


def page(
    site: Site,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] = MappingProxyType({}),
    **context: object,
) -> Response:
    """Return a rendered page under the strict policy, with more `headers`."""
    shown = {"query": "", **context}
    text = site.templates.get_template(template).render(
        site=site, path=site.path, segments=coverage_segments, **shown
    )
    return Response(
        text.encode("utf-8", "replace"),
        status=status,
        headers={**PAGE_HEADERS, **headers},
        content_type="text/html; charset=utf-8",
    )


def twin(
    site: Site,
    answer: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Return a JSON answer; keys keep their order. Other sites may read it where Datasette's may.

    On a machine of one's own they may not: any page visited there could read the archive.
    """
    text = json.dumps(answer, ensure_ascii=False, indent=1) + "\n"
    foreign = {"access-control-allow-origin": "*"} if site.datasette.cors else {}
    return Response(
        text.encode("utf-8", "replace"),
        status=status,
        headers={**PAGE_HEADERS, **foreign, **headers},
        content_type="application/json; charset=utf-8",
    )


def missing(site: Site, error: MissingError, *, form: ErrorForm = "page") -> Response:
    """Return the error in the form asked for: a page, JSON for a twin, or plain text."""
    if form == "text":
        return Response(
            f"{error.status}: {error.what}\n".encode("utf-8", "replace"),
            status=error.status,
            headers={**PAGE_HEADERS, **error.headers},
            content_type="text/plain; charset=utf-8",
        )
    if form == "json":
        return twin(
            site,
            {"ok": False, "error": error.what, "near": [path for path, _ in error.near]},
            status=error.status,
            headers=error.headers,
        )
    return page(
        site,
        "missing.html",
        status=error.status,
        headers=error.headers,
        what=error.what,
        near=error.near,
        code=error.status,
    )


def busy(what: str, *, near: tuple[tuple[str, str], ...] = ()) -> MissingError:
    """Return what tells somebody to come again. Source: RFC 9110 §15.6.4, §10.2.3."""
    return MissingError(
        f"{what} Ask again in a moment.", near=near, status=503, headers={"retry-after": RETRY_S}
    )


def begin_stream(site: Site, request: Any) -> None:
    """See that what is sent in pieces is for few at once; call it before anything is opened.

    Raises:
        MissingError: there are too many.
    """
    if request.method != "HEAD" and not site.sending.begin_stream(request.scope):
        raise busy(MUCH)


def flag(request: Any, name: str) -> bool:
    """Whether a query parameter is there and set."""
    return (request.args.get(name) or "") not in ("", "0")


def page_number(request: Any) -> int:
    """Return `?page=`, from 1 to 10,000; anything else is 1."""
    text = request.args.get("page") or "1"
    return min(max(int(text[:9]), 1), 10_000) if text.isascii() and text.isdigit() else 1
