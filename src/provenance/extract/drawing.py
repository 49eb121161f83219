"""Draw one page of a PDF as a PNG, in a process of its own that is ended where it takes too long.

The parent gives the bytes and gets a line of JSON and the picture. Bounded are the bytes taken, the
pixels, the processor time, the memory and the time on the clock. A file that crashes PDFium, or
takes the process over, ends or fools that process alone; what comes back is looked at.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any, Final

from provenance.extract.png import SIGNATURE, to_png

MAX_BYTES: Final = 64 << 20
"""Bytes of a PDF that is drawn."""

WIDTH: Final = 1100
"""Pixels of a page's width; fewer where it would be too high."""

HEIGHT: Final = 2200
MAX_PAGE: Final = 100_000
CPU_LIMIT_S: Final = 15
CLOCK_LIMIT_S: Final = 40
_MEMORY: Final = 1 << 30
_ANSWER: Final = 16 << 20
_BOOT: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from provenance.extract.drawing import main; main(int(sys.argv[2]), int(sys.argv[3]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A page as a PNG, its size in pixels, and how many pages there are; or why there is none.

    Faults: `broken_pdf`, `encrypted_pdf`, `no_such_page`, `broken_page`, `too_large`, `too_slow`,
    `crashed`.
    """

    png: bytes = b""
    width: int = 0
    height: int = 0
    pages: int = 0
    fault: str | None = None


def draw_page(
    content: bytes,
    number: int,
    *,
    cpu_limit_s: int = CPU_LIMIT_S,
    clock_limit_s: float = CLOCK_LIMIT_S,
    python: str = sys.executable,
) -> Drawing:
    """Return page `number`, from 1, of a PDF; `python` runs the process that draws."""
    if len(content) > MAX_BYTES:
        return Drawing(fault="too_large")
    if not 1 <= number <= MAX_PAGE:
        return Drawing(fault="no_such_page")
    with subprocess.Popen(
        [python, "-I", "-c", _BOOT, json.dumps(sys.path), str(number), str(cpu_limit_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            answer, _ = process.communicate(content, timeout=clock_limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            return Drawing(fault="too_slow")
        except OSError:
            answer = b""  # it ended before it had read all
        if process.returncode == -signal.SIGXCPU:
            return Drawing(fault="too_slow")
    return _believed(answer) or Drawing(fault="crashed")


def _believed(answer: bytes) -> Drawing | None:
    """Return what a process says, where it has the form of an answer."""
    line, _, png = answer[:_ANSWER].partition(b"\n")
    try:
        said = json.loads(line)
        fault, sizes = said["fault"], [int(said[name]) for name in ("width", "height", "pages")]
    except (ValueError, TypeError, KeyError):
        return None
    if isinstance(fault, str):
        return Drawing(fault=fault[:40], pages=max(sizes[2], 0))
    width, height, pages = sizes
    head = SIGNATURE + b"\0\0\0\rIHDR" + struct.pack(">II", width, height)
    if not (0 < width <= WIDTH and 0 < height <= HEIGHT and pages > 0 and png.startswith(head)):
        return None
    return Drawing(png=png, width=width, height=height, pages=pages)


def drawn(content: bytes, number: int) -> Drawing:
    """Return page `number` of a PDF, drawn in this process."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    try:
        document = pypdfium2.PdfDocument(content)
        pages = len(document)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) in {
            pdfium.FPDF_ERR_PASSWORD,
            pdfium.FPDF_ERR_SECURITY,
        }
        return Drawing(fault="encrypted_pdf" if locked else "broken_pdf")
    if pages == 0:
        return Drawing(fault="broken_pdf")
    if number > pages:
        return Drawing(fault="no_such_page", pages=pages)
    try:
        return _picture(document[number - 1], pages)
    except (pypdfium2.PdfiumError, ValueError, OverflowError, ZeroDivisionError):
        return Drawing(fault="broken_page", pages=pages)


def _picture(page: Any, pages: int) -> Drawing:
    wide, high = page.get_size()
    scale = min(WIDTH / wide, HEIGHT / high)
    # PDFium rounds up; a size just below the bound stays within it.
    bitmap = page.render(scale=scale * 0.999, rev_byteorder=True, prefer_bgrx=False)
    if not (0 < bitmap.width <= WIDTH and 0 < bitmap.height <= HEIGHT):
        return Drawing(fault="broken_page", pages=pages)
    png = to_png(
        memoryview(bitmap.buffer).cast("B"),
        width=bitmap.width,
        height=bitmap.height,
        stride=bitmap.stride,
        channels=bitmap.n_channels,
    )
    return Drawing(png=png, width=bitmap.width, height=bitmap.height, pages=pages)


def main(number: int, cpu_limit_s: int) -> None:
    """Draw a page of the PDF on standard input; answer on standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not get into the answer.
    os.dup2(2, 1)
    for kind, bound in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, cpu_limit_s),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(kind, (bound, resource.getrlimit(kind)[1]))
        except (OSError, ValueError):
            pass  # a system without this limit runs without it
    made = drawn(sys.stdin.buffer.read(MAX_BYTES), number)
    said = {name: value for name, value in asdict(made).items() if name != "png"}
    answers.write(json.dumps(said).encode() + b"\n" + made.png)
    answers.close()
