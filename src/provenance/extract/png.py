"""Write pixels as a PNG. Pure.

Source: PNG (Third Edition) §5, §9, §11.2.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOURS: Final = {1: 0, 3: 2, 4: 6}
_EFFORT: Final = 6


def to_png(pixels: memoryview, *, width: int, height: int, stride: int, channels: int) -> bytes:
    """Return a PNG of 8-bit pixels, `stride` bytes from one row to the next.

    One channel is grey, three are red, green and blue, four have alpha too.

    Raises:
        ValueError: another number of channels, or fewer bytes than the rows have.
    """
    if channels not in _COLOURS or len(pixels) < stride * (height - 1) + width * channels:
        raise ValueError("no picture of this size")
    size = width * channels
    packer = zlib.compressobj(_EFFORT)
    rows = bytearray()
    for row in range(height):
        start = row * stride
        # Filter 0: each row as it is.
        rows += packer.compress(b"\0" + pixels[start : start + size])
    rows += packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", bytes(rows)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    body = name + body
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
