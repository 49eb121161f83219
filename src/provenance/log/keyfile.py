"""Write an operator's private key to a file that nobody else can read, and read it back.

The file holds one signer key line. A key never lies inside an archive, which is made to be copied
and published, and no file is ever overwritten. Randomness is an argument.

Source: C2SP signed-note (names, key ids, verifier keys); signer key lines as
golang.org/x/mod/sumdb/note writes them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from provenance.errors import StorageError, UsageError

SEED_BYTES = 32

_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"
_LINE = re.compile(r"PRIVATE\+KEY\+([^+\s]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})\Z")
_MAX_FILE_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorKey:
    """A private Ed25519 key: the operator's name, and the seed of 32 bytes, which is secret.

    Raises:
        UsageError: no key has this name.
        ValueError: the seed is not 32 bytes.
    """

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise ValueError(f"a seed is {SEED_BYTES} bytes")
        if not self.name.isprintable() or not re.fullmatch(r"[^+\s]{1,255}", self.name):
            raise UsageError(
                "not the name of a key",
                expected="a name like example.org/archive, without spaces and plus signs",
                found=ascii(self.name[:80]),
            )

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """The key's id, 8 hexadecimal digits."""
        hashed = hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public)
        return hashed.hexdigest()[:8]

    @property
    def verifier_line(self) -> str:
        """The line that others check signatures with; it is public."""
        return self._line(self.public)

    @property
    def signer_line(self) -> str:
        """The line that the key file holds; it is secret."""
        return _PRIVATE + self._line(self.seed)

    def _line(self, key: bytes) -> str:
        return f"{self.name}+{self.key_id}+{base64.b64encode(_ED25519 + key).decode()}"


def parse_signer_line(line: str, *, where: str) -> OperatorKey:
    """Return the key that a signer key line, without a line end, gives.

    Raises:
        UsageError: it is none, or damaged. Nothing of the line is in the message: it is secret.
    """
    match = _LINE.match(line)
    try:
        raw = base64.b64decode(match[3], validate=True) if match else b""
    except binascii.Error:
        raw = b""
    if match is None or raw[:1] != _ED25519 or len(raw) != 1 + SEED_BYTES:
        raise UsageError(
            "not an operator's key",
            where=where,
            expected=f"one line {_PRIVATE}<name>+<8 hex digits>+<base64>, of an Ed25519 key",
        )
    key = OperatorKey(name=match[1], seed=raw[1:])
    if key.signer_line != line:
        raise UsageError(
            "the operator's key is damaged: its id is not that of name and key",
            where=where,
            hint="Restore the file from a copy.",
        )
    return key


def write_key_file(path: Path, *, name: str, seed: bytes, root: Path | None = None) -> OperatorKey:
    """Make the file `path`, readable by its owner alone, with a new key, and return the key.

    `seed` is 32 random bytes. Folders that are missing are made, for the owner alone. `root` is
    the archive root that the key must not lie in, where one is known.

    Raises:
        UsageError: the file is there already, or lies inside an archive; nothing is written.
        StorageError: the disk refused; no file is left.
    """
    key = OperatorKey(name=name, seed=seed)
    _refuse_inside(path, root)
    try:
        _make_folder(path.parent)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise UsageError(
            "there is a file of this name already",
            where=str(path),
            hint="A key is never overwritten; give another name, or move the file away.",
        ) from None
    except OSError as fault:
        raise _refused(path, fault) from fault
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(f"{key.signer_line}\n".encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        path.unlink(missing_ok=True)
        raise _refused(path, fault) from fault
    return key


def read_key_file(path: Path, *, root: Path | None = None) -> OperatorKey:
    """Return the key in a file that only its owner can read.

    Raises:
        UsageError: there is none, others can read or write it, it lies inside an archive, or it
            holds no key.
        StorageError: it cannot be read.
    """
    _refuse_inside(path, root)
    try:
        raw = _read_secret(path)
    except FileNotFoundError:
        raise UsageError(
            "no operator's key", where=str(path), hint="Make one, or name the file that has it."
        ) from None
    except OSError as fault:
        raise StorageError(
            f"cannot read the operator's key ({fault.strerror})", where=str(path)
        ) from fault
    return parse_signer_line(raw.decode("utf-8", "replace").removesuffix("\n"), where=str(path))


def _read_secret(path: Path) -> bytes:
    # Not to wait for ever where the name is that of a pipe.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise UsageError("not an operator's key", where=str(path), expected="a plain file")
        # Before a byte of it is read, so that a key that is no secret is never used.
        if mode & 0o077:
            raise UsageError(
                "others than its owner may use the operator's key",
                where=str(path),
                expected="a file of mode 600",
                found=f"mode {stat.S_IMODE(mode):03o}",
                hint="If nobody else has read it, run chmod 600 on it; else make a new key.",
            )
        return os.read(handle, _MAX_FILE_BYTES + 1)
    finally:
        os.close(handle)


def _refuse_inside(path: Path, root: Path | None) -> None:
    """Refuse a place below `root`, or below any folder that has the shape of an archive root."""
    place = path.resolve()
    for folder in place.parents:
        known = root is not None and folder == root.resolve()
        if known or all((folder / name).is_dir() for name in ("seeds", "archive", "metadata")):
            raise UsageError(
                "an operator's key may not lie inside an archive, which is made to be copied",
                where=str(path),
                found=f"the archive root {folder}",
                hint="Name a place outside it.",
            )


def _make_folder(folder: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def _refused(path: Path, fault: OSError) -> StorageError:
    return StorageError(
        f"cannot write the operator's key ({fault.strerror})",
        where=str(fault.filename or path),
        hint="No key was made.",
    )
