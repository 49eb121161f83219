"""Read the bytes of one seeds file into a `Collection`, all its faults at once. Pure."""

from __future__ import annotations

import re
import tomllib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from provenance.digest import digest_of
from provenance.errors import SeedsError
from provenance.model import ADHOC, Collection, CollectionId, Document
from provenance.seeds.document import read_document
from provenance.seeds.faults import Faults
from provenance.seeds.table import Table
from provenance.seeds.values import parse_id, parse_line, parse_network, parse_prose

COLLECTION_KEYS = ("id", "title", "about", "allow_networks")
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")

PARTS_LIMIT = 16
"""Parts that a dotted key may have; seeds need two."""
# Where a key may begin, and possessive, so that it is done in one go through the text. What stands
# inside a string and looks like a key is taken for one.
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+"""
_LONG_KEY = re.compile(rf"(?m)(?:^|[\[{{,])[ \t]*+(?:{_PART}\.[ \t]*+){{{PARTS_LIMIT}}}")


class Ids:
    """Very many (number of the entry, from 1; id of its document), in the order of the file.

    They are held as one text: all ids of an archive root are in memory together.
    """

    def __init__(self, numbered: Sequence[tuple[int, str]]) -> None:
        self._numbers = array("L", (number for number, _ in numbered))
        self._text = "\n".join(identifier for _, identifier in numbered)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return zip(self._numbers, self._text.split("\n"))  # noqa: B905, no id splits to one ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What one file says, faulty or not.

    `collection` is None when the file is no TOML at all; else it is complete only if `faults` is
    empty. `ids` are those of its documents that can be read; `targets` holds (dotted path, id of
    the related document, id of the document that names it) where no document of the file has it.
    """

    name: str
    faults: tuple[str, ...]
    collection: Collection | None = None
    ids: Ids = field(default_factory=lambda: Ids([]))
    targets: tuple[tuple[str, str, str], ...] = ()

    def bare(self) -> Draft:
        """Return the same without the documents: what is needed to check it against others."""
        if self.collection is None:
            return self
        return replace(self, collection=replace(self.collection, documents=()))


def path_of_id(number: int) -> str:
    """Return the dotted path of the id of an entry."""
    return f"document[{number}].id"


def parse_collection(raw: bytes, *, name: str) -> Collection:
    """Return the collection of one seeds file; `name` is its path for messages, `seeds/x.toml`.

    Relations are not looked up: their targets may stand in other files of the archive root
    (`read_collections` does it).

    Raises:
        SeedsError: with every fault of the file.
    """
    draft = draft_collection(raw, name=name)
    if draft.faults or draft.collection is None:
        raise SeedsError(draft.faults)
    return draft.collection


def draft_collection(raw: bytes, *, name: str) -> Draft:
    """Return what the file says with its faults, and raise nothing."""
    faults = Faults(name)
    content = _read_toml(raw, faults)
    if content is None:
        return Draft(name=name, faults=faults.lines)
    root = Table(content, path="", faults=faults)
    root.refuse_unknown(("collection", "document"))
    collection = _read_head(root.table("collection"), seeds_file=name, raw=raw)
    documents: list[Document] = []
    ids: list[tuple[int, str]] = []
    targets: list[tuple[str, str, str]] = []
    for entry in root.tables("document"):
        document = read_document(entry, collection=collection.id)
        documents.append(document)
        if document.id:
            ids.append((entry.number, str(document.id)))
        targets += [
            (f"{entry.path}.relation[{number}].document", relation.document, document.id)
            for number, relation in enumerate(document.relations, start=1)
            if relation.document
        ]
    here = {identifier for _, identifier in ids}
    draft = Draft(
        name=name,
        faults=(),
        collection=replace(collection, documents=tuple(documents)),
        ids=Ids(ids),
        targets=tuple(each for each in targets if each[1] not in here),
    )
    _refuse_repeated(draft, faults)
    return replace(draft, faults=faults.lines)


def _read_head(head: Table, *, seeds_file: str, raw: bytes) -> Collection:
    head.refuse_unknown(COLLECTION_KEYS)
    identifier = CollectionId(head.required("id", parse_id, ""))
    if identifier == ADHOC:
        head.fault("id", f'"{ADHOC}" is kept for addresses that no seeds file asks for; rename it')
    return Collection(
        id=identifier,
        title=head.required("title", parse_line, ""),
        about=head.required("about", parse_prose, ""),
        seeds_file=seeds_file,
        seeds_digest=digest_of(raw),
        documents=(),
        allow_networks=head.strings("allow_networks", parse_network),
    )


def _read_toml(raw: bytes, faults: Faults) -> dict[str, object] | None:
    text = _decode(raw, faults)
    return None if text is None else _load(text, faults)


def _decode(raw: bytes, faults: Faults) -> str | None:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        faults.add("", "expected UTF-8, found UTF-16; save the file as UTF-8")
        return None
    if raw.startswith(b"\xef\xbb\xbf"):
        faults.add("", "begins with a byte order mark; save the file as UTF-8 without one")
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        found = f"byte 0x{raw[fault.start]:02x} at offset {fault.start}"
        faults.add(f"line {line}", f"expected UTF-8, found {found}; save the file as UTF-8")
        return None
    if not re.search(r"^[ \t]*[^#\s]", text, re.MULTILINE):
        faults.add("", "is empty; expected a [collection] table and [[document]] entries")
        return None
    return text


def _load(text: str, faults: Faults) -> dict[str, object] | None:
    # tomllib takes time that grows with the square of a key's parts.
    if long_key := _LONG_KEY.search(text):
        number = text.count("\n", 0, long_key.start()) + 1
        faults.add(
            f"line {number}", f"not TOML that can be read: a key of over {PARTS_LIMIT} parts"
        )
        return None
    try:
        return tomllib.loads(text)
    except RecursionError:
        faults.add("", "not TOML that can be read: nested too deeply")
    except tomllib.TOMLDecodeError as fault:
        message = str(fault)
        place = _WHERE.search(message)
        line, column = place.groups() if place else (None, None)
        if place and line is None:
            line, column = str(text.count("\n") + 1), str(len(text) - text.rfind("\n"))
        where = f"line {line}, column {column}" if line else ""
        faults.add(where, f"not TOML: {_WHERE.sub('', message)}")
    except ValueError:  # int() refuses thousands of digits
        faults.add("", "not TOML that can be read: a number has too many digits")
    return None


def _refuse_repeated(draft: Draft, faults: Faults) -> None:
    first: dict[str, int] = {}
    for number, identifier in draft.ids:
        if identifier in first:
            before = f"document[{first[identifier]}]"
            faults.add(path_of_id(number), f'"{identifier}" is the id of {before} already')
        first.setdefault(identifier, number)
