"""Choose the proxy for an address, as requests does, from what is handed in. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from provenance.errors import UsageError
from provenance.exchange.credentials import Login, split_credentials

_PORTS = {
    "http": 80,
    "https": 443,
    "socks4": 1080,
    "socks4a": 1080,
    "socks5": 1080,
    "socks5h": 1080,
}
_LONGEST = 127
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy: `scheme` is http, https, socks4, socks4a, socks5 or socks5h."""

    scheme: str
    host: str
    port: int
    login: Login | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """The address, without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_socks(self) -> bool:
        """True where SOCKS is spoken, not HTTP."""
        return self.scheme.startswith("socks")

    @property
    def resolves(self) -> bool:
        """True where the proxy looks names up; otherwise this program does."""
        return self.scheme not in ("socks4", "socks5")


def parse_proxy(text: str, *, where: str) -> Proxy:
    """Return a proxy from its address; without a scheme it is an HTTP proxy.

    `where` says where the text stands, for the message; the text itself may hold a password.

    Raises:
        UsageError: it is no address of a proxy.
    """
    bare, login = split_credentials(text.strip())
    try:
        parts = urlsplit(bare if "://" in bare else f"http://{bare}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if host is None or parts.scheme not in _PORTS:
        raise UsageError(
            "this is no address of a proxy",
            where=where,
            expected="http://HOST:PORT, or https, socks4, socks4a, socks5 or socks5h",
        )
    if login is not None:
        _check_login(login, parts.scheme, where)
    return Proxy(
        scheme=parts.scheme,
        host=host,
        port=_PORTS[parts.scheme] if port is None else port,
        login=login,
    )


def _check_login(login: Login, scheme: str, where: str) -> None:
    if _UNSENDABLE.search(login.user + login.password):
        raise UsageError("the proxy's user name or password has a control character", where=where)
    longest = max(len(login.user.encode()), len(login.password.encode()))
    if scheme.startswith("socks") and longest > _LONGEST:
        raise UsageError(
            "the proxy's user name or password is too long",
            where=where,
            expected=f"{_LONGEST} bytes at most",
            found=f"{longest} bytes",
        )


def proxy_for(url: str, *, named: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the address of the proxy for `url`, credentials included, or None for none.

    `named` is the one that the user named: it is used for every address, and an empty text means
    none for any. Otherwise `environ` decides: http_proxy or https_proxy, then all_proxy, in lower
    case first, unless no_proxy names the host.
    """
    if named is not None:
        return named or None
    parts = urlsplit(url)
    found = _from_environment(parts.scheme, environ)
    if found is None or parts.hostname is None:
        return None
    return None if _is_exempt(parts.hostname, parts.port, _variable("no_proxy", environ)) else found


def proxy_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the proxies that the environment names for any address, by the scheme of these."""
    found = {scheme: _from_environment(scheme, environ) for scheme in ("http", "https")}
    return {scheme: proxy for scheme, proxy in found.items() if proxy}


def _from_environment(scheme: str, environ: Mapping[str, str]) -> str | None:
    if scheme == "http" and "REQUEST_METHOD" in environ:
        # Under CGI, HTTP_PROXY is what a client sent as its Proxy field.
        own = environ.get("http_proxy")
    else:
        own = _variable(f"{scheme}_proxy", environ)
    return own or _variable("all_proxy", environ) or None


def _variable(name: str, environ: Mapping[str, str]) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _is_exempt(host: str, port: int | None, no_proxy: str) -> bool:
    """Return True when one entry of `no_proxy` fits.

    An entry is a name (it and all below it), a name with a port, an address or a network; `*`
    alone fits every host.
    """
    if no_proxy.strip() == "*":
        return True
    entries = [entry.strip().lower() for entry in no_proxy.split(",")]
    name = host.lower().rstrip(".")
    return any(_fits(entry, name, port) for entry in entries if entry)


def _fits(entry: str, name: str, port: int | None) -> bool:
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
        return address in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass  # a name on one side or the other
    suffix = entry.lstrip(".")
    forms = (
        [name] if port is None else [name, f"[{name}]:{port}" if ":" in name else f"{name}:{port}"]
    )
    return any(form == suffix or form.endswith(f".{suffix}") for form in forms)
