"""Show how far a command is, on a terminal only. The only door to tqdm."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from provenance.cli.printing import say

if TYPE_CHECKING:
    from provenance.fetch import Progress
    from provenance.verify import Progress as ReadProgress

Tell = Callable[[str], None]

_EVERY_S = 0.5


@contextmanager
def progress_shown(progress: Callable[[], Progress]) -> Iterator[Tell]:
    """Keep a line of progress below what is told; yield what to tell lines with.

    Without a terminal on stderr there is no such line.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield say
        return
    from tqdm import tqdm

    form = "{n}/{total} documents [{elapsed}, {remaining} left]{postfix}"
    ended = threading.Event()
    with tqdm(total=0, file=sys.stderr, bar_format=form, leave=False, dynamic_ncols=True) as line:

        def refresh() -> None:
            while not ended.wait(_EVERY_S):
                now = progress()
                line.total = now.documents
                line.set_postfix_str(words_of(now), refresh=False)
                line.update(now.done - line.n)
                line.refresh()

        ticking = threading.Thread(target=refresh, daemon=True)
        ticking.start()
        try:
            yield lambda text: line.write(text, file=sys.stderr)
        finally:
            ended.set()
            ticking.join()


@contextmanager
def counted(noun: str) -> Iterator[Callable[[int, int], None]]:
    """Keep a line of how many are done of those known of; yield what to tell both numbers with."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done, known: None
        return
    from tqdm import tqdm

    form = f"{{n}}/{{total}} {noun} [{{elapsed}}]"
    with tqdm(total=0, file=sys.stderr, bar_format=form, leave=False, dynamic_ncols=True) as line:

        def tell(done: int, known: int) -> None:
            line.total = known
            line.update(done - line.n)

        yield tell


def words_of(progress: Progress) -> str:
    """Return bytes and hosts in words.

    >>> from provenance.fetch import Progress
    >>> words_of(Progress(documents=9, done=1, received=2500000, hosts_at_work=2,
    ...     hosts_waiting=1, hosts_left=0))
    '2.5 MB, hosts: 2 at work, 1 waiting'
    """
    hosts = {
        "at work": progress.hosts_at_work,
        "waiting": progress.hosts_waiting,
        "not begun": progress.hosts_left,
    }
    told = ", ".join(f"{count} {word}" for word, count in hosts.items() if count)
    return f"{progress.received / 1e6:.1f} MB, hosts: {told or 'none'}"


class ReadingLine:
    """A line on stderr that tells how far files are read, every `every_s` seconds at most.

    It moves when it is told to and has no thread: beside one, no process is forked.
    """

    def __init__(self, *, wanted: bool, every_s: float) -> None:
        self._wanted = wanted
        self._every_s = every_s
        self._line: Any = None
        self._seen = False

    def show(self, now: ReadProgress) -> None:
        """Tell how far the reading is."""
        if not self._wanted:
            return
        if self._line is None:
            self._line = _line_without_thread(self._every_s)
        self._line.total = now.size
        self._line.set_description_str(reading_words_of(now), refresh=False)
        if self._line.update(now.read - self._line.n):
            self._seen = True

    def clear(self) -> None:
        """Make way for other words on the terminal; the line comes again by itself."""
        if self._seen:
            self._line.clear()
            self._seen = False

    def close(self) -> None:
        """Take the line away."""
        if self._line is not None:
            self._line.close()


@contextmanager
def reading_shown(*, quiet: bool, every_s: float = _EVERY_S) -> Iterator[ReadingLine]:
    """Give a line of progress that comes after the first `every_s` seconds and is gone at the end.

    Where stderr is no terminal, or `quiet`, nothing is ever seen of it.
    """
    terminal = sys.stderr is not None and sys.stderr.isatty()
    line = ReadingLine(wanted=terminal and not quiet, every_s=every_s)
    try:
        yield line
    finally:
        line.close()


def _line_without_thread(every_s: float) -> Any:
    from tqdm import tqdm

    class Line(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0  # no thread that watches over it

    form = "{desc} [{elapsed}, {remaining} left]"
    return Line(
        file=sys.stderr,
        bar_format=form,
        leave=False,
        dynamic_ncols=True,
        mininterval=every_s,
        delay=every_s,
        miniters=0,
    )


def reading_words_of(progress: ReadProgress) -> str:
    """Return files, bytes and findings in words.

    >>> from provenance.verify import Progress
    >>> reading_words_of(Progress(files=12, files_done=3, size=2500000, read=800000, findings=1))
    '3/12 files, 0.8/2.5 MB, 1 finding'
    """
    faults = "1 finding" if progress.findings == 1 else f"{progress.findings} findings"
    read, size = (f"{number / 1e6:.1f}" for number in (progress.read, progress.size))
    return f"{progress.files_done}/{progress.files} files, {read}/{size} MB, {faults}"
