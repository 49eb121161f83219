"""Passwords and cookies: out of addresses and files, into request fields, out of what is kept.

No message of this module repeats a secret.
"""

from __future__ import annotations

import base64
import netrc
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import Cookie, LoadError, MozillaCookieJar
from pathlib import Path
from urllib.parse import unquote

from provenance.errors import UsageError

CREDENTIAL_FIELDS = ("authorization", "cookie", "proxy-authorization")
"""Request fields whose values are not kept."""

_FIELD = re.compile(
    rb"^(authorization|cookie|proxy-authorization)([ \t]*:[ \t]*)([^\r\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_AUTHORITY = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*:(?=[/\\]))?[/\\]*([^/?#]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A user name and a password; neither stands in its repr."""

    user: str = field(repr=False)
    password: str = field(repr=False)

    def basic(self) -> str:
        """Return the value of an Authorization field.

        Source: RFC 7617 §2; Latin-1 where it is enough, as requests does, and UTF-8 elsewhere.
        """
        both = f"{self.user}:{self.password}"
        try:
            raw = both.encode("latin-1")
        except UnicodeEncodeError:
            raw = both.encode("utf-8", "surrogatepass")
        return f"Basic {base64.b64encode(raw).decode()}"


def split_credentials(url: str) -> tuple[str, Login | None]:
    """Return an address without its user name and password, and these; a scheme may be missing.

    >>> split_credentials("https://ann:s3cret@example.org/a@b")[0]
    'https://example.org/a@b'
    """
    login: Login | None = None
    # Readers leave out tabs and line ends, and where the host is empty they differ on where it
    # stands: nothing like a user stays.
    bare = re.sub(r"[\t\r\n]", "", url)
    while (match := _AUTHORITY.match(bare)) and "@" in match[1]:
        userinfo, _, host = match[1].rpartition("@")
        user, _, password = userinfo.partition(":")
        login = login or Login(user=unquote(user), password=unquote(password))
        bare = bare[: match.start(1)] + host + bare[match.end(1) :]
    return (bare, login) if login else (url, None)


def without_credentials(url: str) -> str:
    """Return an address without its user name and password."""
    return split_credentials(url)[0]


def read_netrc(environ: Mapping[str, str]) -> dict[str, Login]:
    """Return the logins of NETRC or else of .netrc or _netrc in HOME, by host in lower case.

    The `default` entry is left out: it would hand the password to every host that a server
    redirects to. A file that is not there holds no logins.

    Raises:
        UsageError: the file cannot be read, or others than its owner may read its passwords.
    """
    path = _netrc_path(environ)
    if path is None:
        return {}
    hint = "Mend the file, or set NETRC to the path of another one (/dev/null for none)."
    try:
        hosts = netrc.netrc(str(path)).hosts
        mode = path.stat().st_mode
    except netrc.NetrcParseError as fault:
        where = f"{path} near line {fault.lineno}"
        raise UsageError("this is no netrc file", where=where, hint=hint) from None
    except (OSError, UnicodeError) as fault:
        what = f"cannot be read ({type(fault).__name__})"
        raise UsageError(what, where=str(path), hint=hint) from None
    logins = {
        host.lower(): Login(user=user, password=password)
        for host, (user, _account, password) in hosts.items()
        if host != "default"
    }
    if path.is_file() and mode & 0o077 and any(login.password for login in logins.values()):
        raise UsageError(
            "others may read the passwords in it",
            where=str(path),
            expected="permissions 600",
            found=f"{mode & 0o777:o}",
            hint=f"Run `chmod 600 {path}`, or set NETRC to /dev/null to use none.",
        )
    return logins


def read_cookies(path: Path) -> tuple[Cookie, ...]:
    """Return the cookies of a cookies.txt file, as browsers and curl write it; expired ones too.

    Each goes to the hosts and paths that it names, and nowhere else.

    Raises:
        UsageError: the file cannot be read, or is of another form.
    """
    jar = MozillaCookieJar()
    try:
        jar.load(str(path), ignore_discard=True, ignore_expires=True)
    except (LoadError, UnicodeError, ValueError):
        raise UsageError(
            "this is no cookies.txt file",
            where=str(path),
            expected="the line '# Netscape HTTP Cookie File', then a cookie a line",
        ) from None
    except OSError as fault:
        raise UsageError(f"cannot be read ({fault.strerror})", where=str(path)) from None
    found = tuple(jar)
    for cookie in found:
        cookie.expires = cookie.expires or None  # 0 stands for a cookie of the session
    return found


def _netrc_path(environ: Mapping[str, str]) -> Path | None:
    named = environ.get("NETRC")
    home = environ.get("HOME")
    if named:
        rooted = home is not None and named.startswith("~/")
        paths = [Path(home or "", named[2:]) if rooted else Path(named)]
    else:
        paths = [Path(home, name) for name in (".netrc", "_netrc")] if home else []
    return next((path for path in paths if path.exists()), None)


def redact(
    request: bytes, *, keep: frozenset[str] = frozenset()
) -> tuple[bytes, tuple[str, ...], tuple[str, ...]]:
    """Return the request with the values of credential fields replaced; the names replaced; kept.

    Only the head is touched; every other byte stays. Fields named in `keep` keep their values.
    """
    head, gap, body = request.partition(b"\r\n\r\n")
    names = tuple(dict.fromkeys(match[1].decode().lower() for match in _FIELD.finditer(head)))
    if not names:
        return request, (), ()

    def replaced(match: re.Match[bytes]) -> bytes:
        kept = match[1].decode().lower() in keep
        return match[0] if kept else match[1] + match[2] + b"redacted"

    redacted = tuple(name for name in names if name not in keep)
    kept = tuple(name for name in names if name in keep)
    return _FIELD.sub(replaced, head) + gap + body, redacted, kept
