"""Show how far a command is, on a terminal only. The only door to tqdm."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from provenance.cli.printing import say
from provenance.fetch import Progress

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
