"""Check what records of files that belong together say of each other, reading some once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from provenance.findings.finding import Finding, Note
from provenance.whole.across import Across
from provenance.whole.captures import leaf_lines
from provenance.whole.files import FileReport, read_file
from provenance.whole.framing import form_of, framed_records, record_at
from provenance.whole.ledger import key_of
from provenance.whole.records import Facts, RecordJudge, anchor_id
from provenance.whole.stretch import Stretch
from provenance.whole.window import Window


def verify_file(path: Path, *, sealed_name: str | None = None) -> FileReport:
    """Check one WARC file: framing, fields, digests, and what its records say of each other.

    What the file refers to in other files is a note; the manifest is not looked at.
    """
    report = read_file(path, sealed_name=sealed_name)
    (whole,) = with_relations([report], {report.warc: path})
    return whole


def with_relations(
    reports: Sequence[FileReport], sources: Mapping[str, Path | Stretch]
) -> tuple[FileReport, ...]:
    """Return the reports of files that belong together with what their records say of each other.

    What they refer to in other files is a note. `sources` says where each file of a report is.
    """
    files = [(report.warc, report.ledger) for report in reports]
    more = list(Across(files, Reread(sources).facts, complete=False).findings())
    return tuple(
        replace(
            report,
            findings=report.findings
            + tuple(
                each for each in more if isinstance(each, Finding) and each.warc == report.warc
            ),
            notes=report.notes
            + tuple(each for each in more if isinstance(each, Note) and each.warc == report.warc),
        )
        for report in reports
    )


class Reread:
    """Read single records again, measured."""

    def __init__(self, sources: Mapping[str, Path | Stretch]) -> None:
        self._sources = sources

    def facts(self, name: str, offset: int, record: int) -> Facts | None:
        """Return the record at `offset` whose id has the key `record`, None if it is not there."""
        try:
            with self._stretch(name).window(hashing=False) as window:
                for each in record_at(window, offset, None):
                    judge = RecordJudge(lambda _record, _fault: None, lambda _record: ())
                    judge.ours = True
                    facts = judge.judge(each)
                    if key_of(facts.record_id) == record:
                        return facts
        except OSError:
            pass
        return None

    def leaf(self, name: str, offset: int) -> str | None:
        """Return the line of the log's leaf for the records that begin at `offset`."""
        try:
            with self._stretch(name).window(hashing=False) as window:
                return _leaf_at(window, offset)
        except OSError:
            return None

    def _stretch(self, name: str) -> Stretch:
        source = self._sources[name]
        return source if isinstance(source, Stretch) else Stretch(path=source)


def _leaf_at(window: Window, offset: int) -> str | None:
    judge = RecordJudge(lambda _record, _fault: None, lambda _record: ())
    judge.ours = True
    group: list[Facts] = []
    named: str | None = None
    form = form_of(window)
    for each in framed_records(window, form, lambda *_, **__: None, start=offset):
        if each.offset < offset:
            continue
        anchor = anchor_id(each.header)
        if named is not None and (anchor != named or not anchor):
            break
        named = anchor
        group.append(judge.judge(each))
    lines = leaf_lines(group)
    return lines[0][0] if lines else None
