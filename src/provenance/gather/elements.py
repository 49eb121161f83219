"""Say which attributes of which elements name what a page needs. Pure tables and small rules.

Source: HTML Standard §4 (each element's attributes), §15.3 (`background`); SVG 2 §5.6, §12, §16.2;
Preload §2. Attributes that only scripts read are a convention of lazy-loading scripts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from provenance.gather.kinds import Kind


class Form(Enum):
    """How the value of an attribute is written."""

    ADDRESS = "address"
    SRCSET = "srcset"
    CSS = "css"
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """That an attribute names requisites of a kind."""

    kind: Kind
    form: Form = Form.ADDRESS
    lazy: bool = False


_IMAGE: Final = Naming(kind=Kind.IMAGE)
_IMAGES: Final = Naming(kind=Kind.IMAGE, form=Form.SRCSET)
_MEDIA: Final = Naming(kind=Kind.MEDIA)
_SCRIPT: Final = Naming(kind=Kind.SCRIPT)
_FRAME: Final = Naming(kind=Kind.FRAME)
_DRAWN: Final = {"href": _IMAGE, "xlink:href": _IMAGE}


def _names(words: str) -> tuple[str, ...]:
    return tuple(words.split())


def _lazy(kind: Kind) -> dict[str, Naming]:
    one = Naming(kind=kind, lazy=True)
    return dict.fromkeys(("data-src", "data-lazy-src", "data-original"), one)


_LAZY_SETS: Final = dict.fromkeys(
    ("data-srcset", "data-lazy-srcset"), Naming(kind=Kind.IMAGE, form=Form.SRCSET, lazy=True)
)
_PICTURE: Final = {"src": _IMAGE, "srcset": _IMAGES, **_lazy(Kind.IMAGE), **_LAZY_SETS}
_POSTERS: Final = {"poster": _IMAGE, "data-poster": Naming(kind=Kind.IMAGE, lazy=True)}

_NAMINGS: Final[Mapping[str, Mapping[str, Naming]]] = {
    "img": _PICTURE,
    "image": {**_DRAWN, **_PICTURE},  # in SVG by href; elsewhere it is an old name of img
    "feimage": _DRAWN,
    "use": _DRAWN,
    "audio": {"src": _MEDIA, **_lazy(Kind.MEDIA)},
    "video": {"src": _MEDIA, **_POSTERS, **_lazy(Kind.MEDIA)},
    "source": {"src": _MEDIA, "srcset": _IMAGES, **_lazy(Kind.MEDIA), **_LAZY_SETS},
    "track": {"src": _MEDIA},
    "script": {"src": _SCRIPT, "href": _SCRIPT, "xlink:href": _SCRIPT, **_lazy(Kind.SCRIPT)},
    "iframe": {
        "src": _FRAME,
        "srcdoc": Naming(kind=Kind.FRAME, form=Form.PAGE),
        **_lazy(Kind.FRAME),
    },
    "frame": {"src": _FRAME},
    "embed": {"src": _FRAME, **_lazy(Kind.FRAME)},
    "object": {"data": _FRAME},
    **{name: {"background": _IMAGE} for name in _names("body table thead tbody tfoot tr td th")},
}
_ANYWHERE: Final[Mapping[str, Naming]] = dict.fromkeys(
    _names("style fill stroke filter mask clip-path cursor marker-start marker-mid marker-end"),
    Naming(kind=Kind.IMAGE, form=Form.CSS),
)
_ICONS: Final = frozenset(
    _names(
        "icon apple-touch-icon apple-touch-icon-precomposed apple-touch-startup-image mask-icon "
        "fluid-icon"
    )
)
_DESTINATIONS: Final = {
    **dict.fromkeys(("script", "worker", "serviceworker", "sharedworker", "json"), Kind.SCRIPT),
    **dict.fromkeys(("audio", "video", "track"), Kind.MEDIA),
    **dict.fromkeys(("document", "iframe", "frame", "embed", "object"), Kind.FRAME),
    "font": Kind.FONT,
    "image": Kind.IMAGE,
    "style": Kind.STYLE,
}


def namings(name: str, attributes: Mapping[str, str]) -> Iterator[tuple[Naming, str]]:
    """Yield, in the order of the source, how each attribute names something, and its value."""
    for _, naming, value in naming_attributes(name, attributes):
        yield naming, value


def naming_attributes(
    name: str, attributes: Mapping[str, str]
) -> Iterator[tuple[str, Naming, str]]:
    """Yield the same with the name of the attribute before it."""
    own = _NAMINGS.get(name, MappingProxyType({}))
    if name == "link":
        own = _link(attributes)
    elif name == "input" and attributes.get("type", "").strip().lower() == "image":
        own = _PICTURE
    for attribute, value in attributes.items():
        naming = own.get(attribute) or _ANYWHERE.get(attribute)
        if naming is not None and value:
            yield attribute, naming, value


def _link(attributes: Mapping[str, str]) -> Mapping[str, Naming]:
    kind = _link_kind(attributes.get("rel", "").lower().split(), attributes.get("as", ""))
    if kind is None:
        return {}
    href = {"href": Naming(kind=kind)}
    return {**href, "imagesrcset": _IMAGES} if kind is Kind.IMAGE else href


def _link_kind(rel: list[str], destination: str) -> Kind | None:
    if "stylesheet" in rel:
        return Kind.STYLE
    if not _ICONS.isdisjoint(rel):
        return Kind.ICON
    if "manifest" in rel:
        return Kind.MANIFEST
    if "modulepreload" in rel:
        return _DESTINATIONS.get(destination.strip().lower(), Kind.SCRIPT)
    if "preload" in rel:
        return _DESTINATIONS.get(destination.strip().lower(), Kind.OTHER)
    return None
