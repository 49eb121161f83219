"""Read many files at once: each in one piece, or a large one in parts that are proven to fit.

A part begins at a byte that looks like a record's. It is proven when the part before saw a record
there and ended where this one began; where that fails, or a part has a fault that others may bear
on, the file is read again in one piece. So the verdict is the same, however many processes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path

from provenance.digest import Digest, from_hex
from provenance.findings.finding import listed
from provenance.parallel import map_in_order
from provenance.regular_file import open_regular
from provenance.whole.files import FileReport, Part, read_file, read_part, reading_notes
from provenance.whole.framing import WARC, Form, form_of, record_at
from provenance.whole.inflate import find_member
from provenance.whole.ledger import Ledger
from provenance.whole.progress import Meter
from provenance.whole.records import RecordJudge, Tallies
from provenance.whole.rows import Spill
from provenance.whole.window import Window

_SMALLEST = 1 << 20
_LARGEST = 1 << 22
_SHARES = 16
"""Parts for each process, so that none waits long for the last."""

_SEARCHED = 1 << 25
_ONCE_A_FILE = "warcinfo_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A file to read in one piece, to hash alone, or to read from `start` to `until`."""

    path: Path
    whole: bool = False
    start: int | None = None
    until: int | None = None
    ours: bool = False


_TAKEN = Ledger()
"""What is left of the ledger of a part that was joined to those before."""

_Result = FileReport | Part | Digest | None


def read_files(
    paths: Sequence[Path],
    *,
    jobs: int,
    smallest: int = _SMALLEST,
    spill: Spill | None = None,
    meter: Meter | None = None,
) -> Iterator[FileReport]:
    """Yield the report of each file, in order, read by up to `jobs` processes.

    A part has `smallest` bytes or more, but for the last one of a file. `spill` takes the ledgers.
    `meter` counts what is read; it is to expect the files, by `size_of`.
    """
    meter = meter or Meter()
    total = sum(map(size_of, paths))
    if jobs < 2 or total < 2 * smallest:
        for path in paths:
            report = read_file(path, spill=spill, on_read=meter.read)
            meter.end(size_of(path))
            yield report
        return
    share = min(max(total // (jobs * _SHARES), smallest), _LARGEST)
    plans = [plan(path, share) for path in paths]
    items = [task for tasks in plans for task in tasks]
    results = map_in_order(_do, items, jobs=jobs, order=[*_digests_last(plans)])
    for path, tasks in zip(paths, plans, strict=True):
        report = _report(path, islice(results, len(tasks)), spill, meter)
        meter.end(size_of(path))
        yield report


def _digests_last(plans: Sequence[list[Task]]) -> Iterator[int]:
    """Yield the places of all tasks, that of a file's digest, which takes long, after its parts."""
    first = 0
    for tasks in plans:
        end = first + len(tasks)
        yield from range(first + 1, end)
        yield first
        first = end


def size_of(path: Path) -> int:
    """Return the size of a file in bytes, 0 where the system does not tell it."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def plan(path: Path, share: int) -> list[Task]:
    """Divide a gzip file of more than two shares into parts, and its digest; leave any other."""
    whole = [Task(path=path, whole=True)]
    if size_of(path) < 2 * share:
        return whole
    try:
        with open_regular(path) as source:
            window = Window(source, hashing=False)
            if form_of(window) is not Form.GZIP:
                return whole
            starts = [0, *_starts(window, share)]
            ours = _opens_ours(window)
    except OSError:
        return whole
    untils = [*starts[1:], None]
    parts = [
        Task(path=path, start=start, until=until, ours=ours and start > 0)
        for start, until in zip(starts, untils, strict=True)
    ]
    return [Task(path=path), *parts] if len(parts) > 1 else whole


def _starts(window: Window, share: int) -> Iterator[int]:
    at = share
    while at < window.size:
        found = find_member(window, at, WARC, within=_SEARCHED)
        if found is not None:
            yield found
        at = share + (found if found is not None else at + _SEARCHED)


def _opens_ours(window: Window) -> bool:
    judge = RecordJudge(lambda _record, _fault: None, lambda _record: ())
    for record in record_at(window, 0, 0):
        judge.judge(record)
    return judge.ours


def _do(task: Task) -> _Result:
    if task.whole:
        return read_file(task.path)
    try:
        if task.start is None:
            with open_regular(task.path) as source:
                return from_hex(hashlib.file_digest(source, "sha256").hexdigest())
        return read_part(task.path, task.start, task.until, ours=task.ours)
    except OSError:
        return None


def _report(
    path: Path, results: Iterator[_Result], spill: Spill | None, meter: Meter
) -> FileReport:
    ledger, parts, sha256, lost = Ledger(spill=spill), [], None, False
    for result in results:
        if isinstance(result, FileReport):
            return result
        if isinstance(result, Part):
            ledger.extend(result.ledger)
            parts.append(replace(result, ledger=_TAKEN))
            meter.read(result.end - result.start)
        elif result is not None:
            sha256 = result
        else:
            lost = True
    if lost or sha256 is None or not fit(parts):
        meter.again()
        return read_file(path, spill=spill, on_read=meter.read)
    return _join(path, sha256, parts, ledger)


def fit(parts: Sequence[Part]) -> bool:
    """Say whether the parts are what one reading of the whole file would have gone through."""
    last = parts[-1]
    return all(
        one.framed and one.met and one.end == other.start and one.ours[1] == other.ours[0]
        for one, other in pairwise(parts)
    ) and (
        last.framed
        and not any(fault.code == _ONCE_A_FILE for part in parts for fault in part.findings)
    )


def _join(path: Path, sha256: Digest, parts: Sequence[Part], ledger: Ledger) -> FileReport:
    tallies = Tallies()
    for part in parts:
        tallies.extend(part.tallies)
    findings = [fault for part in parts for fault in part.findings]
    return FileReport(
        warc=path.name,
        sha256=sha256,
        size=parts[-1].end,
        records=sum(part.records for part in parts),
        findings=listed(path.name, findings, sum(part.unlisted for part in parts)),
        notes=(
            *(each for part in parts for each in part.notes),
            *reading_notes(path.name, tallies),
        ),
        ledger=ledger,
    )
