"""Read the keys of one TOML table, noting each fault and going on. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from provenance.errors import UsageError
from provenance.seeds.faults import Faults, MisfitError, did_you_mean, show_name

Value = TypeVar("Value")

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Table:
    """One table of a seeds file at a dotted path; entries of arrays are counted from 1."""

    __slots__ = ("_content", "_faults", "_path", "document", "number")

    def __init__(
        self,
        content: Mapping[str, object],
        *,
        path: str,
        faults: Faults,
        document: str | None = None,
        number: int = 0,
    ) -> None:
        self._content = content
        self._path = path
        self._faults = faults
        self.document = document
        self.number = number
        """Its place among the entries of its array."""

    def fault(self, key: str, message: str) -> None:
        """Note a fault of one key."""
        self._faults.add(self.path_of(key), message, document=self.document)

    def path_of(self, key: str) -> str:
        """Return the dotted path of a key."""
        shown = key if _BARE_KEY.fullmatch(key) else show_name(key)
        return f"{self._path}.{shown}" if self._path else shown

    def refuse_unknown(self, known: tuple[str, ...]) -> None:
        """Note every key that is not among the known ones."""
        for key in self._content:
            if key not in known:
                near = did_you_mean(key, known) or did_you_mean(key.rstrip("s"), known)
                self.fault(key, f"unknown key; {near or 'known are ' + ', '.join(known)}")

    def required(self, key: str, parse: Callable[[object], Value], otherwise: Value) -> Value:
        """Return the parsed value; `otherwise` stands in when it is missing or faulty."""
        if key not in self._content:
            self.fault(key, "missing")
            return otherwise
        value = self.optional(key, parse)
        return otherwise if value is None else value

    def optional(self, key: str, parse: Callable[[object], Value]) -> Value | None:
        """Return the parsed value, or None when it is missing or faulty."""
        if key not in self._content:
            return None
        try:
            return parse(self._content[key])
        except UsageError as misfit:
            self.fault(key, str(misfit))
            return None

    def strings(self, key: str, parse: Callable[[object], Value]) -> tuple[Value, ...]:
        """Return the parsed members of an array, without the faulty ones."""
        value = self._content.get(key, [])
        if not isinstance(value, list):
            self.fault(key, str(MisfitError("an array in square brackets", value)))
            return ()
        parsed = []
        for number, member in enumerate(value, start=1):
            try:
                parsed.append(parse(member))
            except UsageError as misfit:
                self.fault(f"{key}[{number}]", str(misfit))
        return tuple(parsed)

    def table(self, key: str) -> Table:
        """Return the table under `key`; an empty one stands in for anything else."""
        value = self._content.get(key)
        if not isinstance(value, dict):
            message = "missing" if value is None else str(MisfitError(f"a table [{key}]", value))
            self.fault(key, message)
            value = {}
        return Table(value, path=self.path_of(key), faults=self._faults, document=self.document)

    def tables(self, key: str) -> Iterator[Table]:
        """Yield the tables of the array of tables under `key`, which are taken out of it.

        So a table's entries are gone once it is: all entries of a large file and all that was made
        of them are never in memory together.
        """
        value = self._content.get(key, [])
        heading = re.sub(r"\[\d+\]", "", self.path_of(key))
        if not isinstance(value, list):
            message = MisfitError(f"tables under the heading [[{heading}]]", value)
            self.fault(key, str(message))
            return
        for number in range(1, len(value) + 1):
            entry, value[number - 1] = value[number - 1], None
            path = f"{self.path_of(key)}[{number}]"
            if isinstance(entry, dict):
                yield Table(
                    entry,
                    path=path,
                    faults=self._faults,
                    document=self.document,
                    number=number,
                )
            else:
                misfit = MisfitError(f"a table under the heading [[{heading}]]", entry)
                self._faults.add(path, str(misfit), document=self.document)

    @property
    def path(self) -> str:
        """The table's own dotted path."""
        return self._path

    def __contains__(self, key: str) -> bool:
        return key in self._content
