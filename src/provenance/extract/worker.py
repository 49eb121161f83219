"""Serve extraction in a process of its own, so that a foreign parser's crash ends nothing else.

It reads jobs from its standard input and answers on its standard output, each a counted frame;
answers are JSON, not pickles, because a parser that a hostile file has taken over writes them.
"""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

from provenance.extract import HEAD_BYTES, Derivative, Hyperlink, extract, refusal

READY: Final = b"ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractJob:
    """One document to read; the fields are those of `extract`.

    `size` is the size of the whole document in bytes where `content` is only its beginning, as
    it may be for one that `refusal` turns away.
    """

    content: bytes
    media_type: str | None
    charset: str | None = None
    base_url: str | None = None
    size: int | None = None

    @property
    def fault(self) -> str | None:
        """The fault the document has before it is read, or None."""
        size = len(self.content) if self.size is None else self.size
        return refusal(self.content[:HEAD_BYTES], media_type=self.media_type, size=size)


def run_job(job: ExtractJob) -> Derivative:
    """Return the derivative of one document."""
    if job.fault is not None:
        return Derivative(fault=job.fault)
    return extract(
        job.content, media_type=job.media_type, charset=job.charset, base_url=job.base_url
    )


def send_jobs(pipe: Connection, jobs: Sequence[ExtractJob]) -> None:
    """Write a batch: one frame that declares all, then the bytes of each."""
    declared = [(job.media_type, job.charset, job.base_url) for job in jobs]
    pipe.send_bytes(json.dumps(declared).encode("ascii"))
    for job in jobs:
        pipe.send_bytes(job.content)


def receive_jobs(pipe: Connection) -> list[ExtractJob]:
    """Read a whole batch; only then may the first be answered, or both ends might wait to write.

    Raises:
        EOFError: there are no more.
    """
    declared = json.loads(pipe.recv_bytes())
    return [
        ExtractJob(
            content=pipe.recv_bytes(), media_type=media_type, charset=charset, base_url=base_url
        )
        for media_type, charset, base_url in declared
    ]


def receive_derivative(pipe: Connection) -> Derivative:
    """Read one answer.

    Raises:
        EOFError: the worker is gone.
        ValueError: what came is no answer.
    """
    fields = json.loads(pipe.recv_bytes())
    try:
        links = tuple(Hyperlink(url=url, label=label) for url, label in fields.pop("links"))
        return Derivative(links=links, pages=tuple(fields.pop("pages")), **fields)
    except (TypeError, AttributeError, KeyError) as fault:
        raise ValueError("not an answer of a worker") from fault


def main(cpu_limit_s: int, memory_bytes: int) -> None:
    """Answer jobs until the input ends.

    `cpu_limit_s` is the processor time for one job, `memory_bytes` the address space for all.
    """
    answers = Connection(os.dup(1), readable=False)
    # Whatever a library prints must not get between the frames.
    os.dup2(2, 1)
    jobs = Connection(0, writable=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    answers.send_bytes(READY)
    while True:
        try:
            batch = receive_jobs(jobs)
        except EOFError:
            return
        for job in batch:
            _limit(resource.RLIMIT_CPU, int(_cpu_used_s()) + 1 + cpu_limit_s)
            answers.send_bytes(_frame(run_job(job)))


def _frame(derivative: Derivative) -> bytes:
    fields: dict[str, Any] = asdict(derivative)
    fields["links"] = [(link.url, link.label) for link in derivative.links]
    return json.dumps(fields, ensure_ascii=False).encode("utf-8")


def _cpu_used_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _limit(kind: int, soft: int) -> None:
    _, hard = resource.getrlimit(kind)
    bounded = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
    try:
        resource.setrlimit(kind, (bounded, hard))
    except (OSError, ValueError):
        # A system without this limit (macOS: address space) runs without it.
        pass
