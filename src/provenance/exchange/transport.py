"""Put the recorder below requests: a transport adapter whose connections are the recorder's."""

from __future__ import annotations

import http.client
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from http.cookiejar import Cookie
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

import requests
from requests import cookies
from requests.adapters import BaseAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from provenance.exchange.credentials import Login
from provenance.exchange.faults import ExchangeFault
from provenance.exchange.heads import RecordingResponse
from provenance.exchange.proxies import Proxy
from provenance.exchange.recorder import Recorder

Fields = tuple[tuple[str, str], ...]
"""Request fields, in the order they are sent in."""

_cookie_field: Callable[..., str | None] = cookies.get_cookie_header
_take_cookies: Callable[..., None] = cookies.extract_cookies_to_jar

_KEPT_CONNECTIONS = 4
_COOKIES_LIMIT = 300
_PLAIN_URL = re.compile(
    r"https?://[a-z0-9]+(?:[.-][a-z0-9]+)*(?::[1-9][0-9]{0,4})?"
    r"(?:/(?:[!$%&'()*+,;=:@A-Z\[\]_a-z|~0-9-][!$%&'()*+,;=:@A-Z\[\]_a-z|~0-9.-]*)?)+"
    r"(?:\?[!$-;=?-Z\[\]_a-z|~]+)?"
)
"""An address that goes on the wire as it is, escapes and all; requests would rewrite some."""


class _Recording:
    """What plain and TLS connections share: opened by the recorder, recorded by its socket."""

    recorder: Recorder
    proxy_used: Proxy | None
    sock: Any
    encrypted = False

    def connect(self) -> None:
        host, port = self._dns_host, self.port  # type: ignore[attr-defined]
        self.sock = self.recorder.open(host, port, encrypted=self.encrypted, proxy=self.proxy_used)

    def receive(self) -> RecordingResponse:
        """Read the head of the response; its body waits in `fp`."""
        # Without what urllib3 puts around a response: the recorder has read it all.
        response = http.client.HTTPConnection.getresponse(cast(http.client.HTTPConnection, self))
        return cast(RecordingResponse, response)


class _PlainConnection(_Recording, HTTPConnection):
    pass


class _TlsConnection(_Recording, HTTPSConnection):
    encrypted = True


class _Pairs(Mapping[str, str]):
    """Request fields as a mapping, which requests asks for, that keeps order and repetition."""

    def __init__(self, pairs: Fields) -> None:
        self._pairs = pairs

    def __getitem__(self, name: str) -> str:
        for key, value in self._pairs:
            if key.lower() == name.lower():
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def items(self) -> Any:
        """Return every pair, in order."""
        return self._pairs


class RecordingAdapter(BaseAdapter):
    """A requests transport adapter that keeps a few connections open.

    `proxies` are those that `send` may be told to use, by their text.
    """

    def __init__(self, recorder: Recorder, proxies: Mapping[str, Proxy]) -> None:
        super().__init__()
        self._recorder = recorder
        self._proxies = proxies
        self._response_class = type("Response", (RecordingResponse,), {"recorder": recorder})
        self._kept: OrderedDict[tuple[object, ...], _PlainConnection | _TlsConnection]
        self._kept = OrderedDict()
        self.had_kept = False
        """Whether a connection was at hand for the request that was sent last."""

    def send(  # noqa: PLR0917
        self,
        request: requests.PreparedRequest,
        stream: bool = True,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a prepared request and read the response's head, a `RecordingResponse`, into `raw`.

        The body waits in `raw.fp`, and its reader calls `drop` where the connection is not to be
        used again. Times, certificates and addresses are the recorder's to know.
        """
        parts = urlsplit(request.url or "")
        text = proxies.get(parts.scheme) if proxies else None
        proxy = self._proxies[text] if text else None
        connection = self._connection(parts, proxy)
        forwarding = proxy is not None and not proxy.is_socks and parts.scheme == "http"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        target = f"{parts.scheme}://{parts.netloc}{path}" if forwarding else path
        connection.putrequest(request.method or "GET", target, skip_accept_encoding=True)
        for name, value in request.headers.items():
            connection.putheader(name, value)
        if forwarding and proxy is not None and proxy.login is not None:
            connection.putheader("Proxy-Authorization", proxy.login.basic())
        connection.endheaders(cast(bytes | None, request.body))
        response = requests.Response()
        raw = connection.receive()
        response.raw, response.request, response.url = raw, request, request.url or ""
        response.status_code, response.reason = raw.status, raw.reason
        return response

    def _connection(
        self, parts: SplitResult, proxy: Proxy | None
    ) -> _PlainConnection | _TlsConnection:
        key = (parts.scheme, parts.hostname, parts.port, proxy)
        connection = self._kept.pop(key, None)
        self.had_kept = connection is not None and connection.sock is not None
        if connection is None:
            while len(self._kept) >= _KEPT_CONNECTIONS:
                self._kept.popitem(last=False)[1].close()
            made = _TlsConnection if parts.scheme == "https" else _PlainConnection
            # Without a port, http.client looks for one behind the last colon, in IPv6 too.
            port = made.default_port if parts.port is None else parts.port
            connection = made(parts.hostname or "", port)
            connection.recorder, connection.proxy_used = self._recorder, proxy
            connection.response_class = cast(Any, self._response_class)
        elif connection.sock is not None and not connection.is_connected:
            # The server has closed it, or sent what nobody asked for.
            connection.close()
        self._kept[key] = connection
        return connection

    def drop(self) -> None:
        """Close the connection that was used last."""
        if self._kept:
            self._kept.popitem()[1].close()

    def close(self) -> None:
        """Close every connection."""
        while self._kept:
            self.drop()


class RecordingSession(requests.Session):
    """A session that follows no redirect and reads no environment."""

    def __init__(self, recorder: Recorder, fields: Fields, proxies: Mapping[str, Proxy]) -> None:
        super().__init__()
        self.trust_env = False
        self._fields = fields
        self._own = cookies.RequestsCookieJar()
        self.given: tuple[str, ...] = ()
        """Fields in which the last request carried credentials of the user's own."""
        self._adapter = RecordingAdapter(recorder, proxies)
        self.mount("http://", self._adapter)
        self.mount("https://", self._adapter)

    def ask(
        self,
        url: str,
        fields: Fields,
        *,
        login: Login | None,
        proxy: str | None,
        body: bytes | None = None,
    ) -> RecordingResponse:
        """Send GET, or POST with a body, for a normal address and read the response's head.

        A field of `fields` takes the place of the session's of the same name.
        """
        named = {name.lower() for name, _ in fields}
        sent = [each for each in self._fields if each[0].lower() not in named]
        sent += [each for each in fields if _is_sendable(*each)]
        given = []
        if login is not None and "authorization" not in named:
            sent.append(("Authorization", login.basic()))
            given.append("authorization")
        if body is not None:
            sent.append(("Content-Length", str(len(body))))
        request = requests.PreparedRequest()
        request.method, request.body = "GET" if body is None else "POST", body
        request.url, request.headers = url, cast(Any, _Pairs(tuple(sent)))
        if len(self.cookies) and (cookie := _cookie_field(self.cookies, request)):
            sent.append(("Cookie", cookie))
            request.headers = cast(Any, _Pairs(tuple(sent)))
            own = requests.PreparedRequest()
            own.method, own.url, own.headers = "GET", url, cast(Any, {})
            given += ["cookie"] if len(self._own) and _cookie_field(self._own, own) else []
        self.given = tuple(given)
        proxies = {"http": proxy, "https": proxy} if proxy else None
        raw = self._adapter.send(request, proxies=proxies).raw
        response = cast(RecordingResponse, raw)
        if "Set-Cookie" in response.msg:
            _take_cookies(self.cookies, request, response)
            if len(self.cookies) > _COOKIES_LIMIT:
                self.cookies.clear()
        return response

    @property
    def had_kept(self) -> bool:
        """Whether a connection was at hand for the last request, open still or not."""
        return self._adapter.had_kept

    def keep_only(self, own: tuple[Cookie, ...]) -> None:
        """Forget every cookie but the user's own."""
        for jar in (self.cookies, self._own):
            jar.clear()
            for cookie in own:
                jar.set_cookie(copy(cookie))

    def drop(self) -> None:
        """Close the connection that was used last."""
        self._adapter.drop()


def _is_sendable(name: str, value: str) -> bool:
    try:
        return not set("\r\n\0") & set(name + value) and bool((name + value).encode("latin-1"))
    except UnicodeEncodeError:
        return False


def normal_url(url: str) -> str:
    """Return an http or https address as requests puts it on the wire: escaped, names in IDNA.

    Raises:
        ExchangeFault: bad_url.
    """
    if _PLAIN_URL.fullmatch(url):
        return url
    if re.match(r"\s*https?:", url, re.IGNORECASE) is None:
        raise ExchangeFault("bad_url", "the address is neither http nor https")
    if re.search(r"[\\\s]", url.strip().partition("://")[2].partition("/")[0]):
        raise ExchangeFault("bad_url", "the host has a backslash or a space in it")
    request = requests.PreparedRequest()
    try:
        request.prepare_url(url, None)
        parts = urlsplit(request.url or "")
        port = parts.port
    except (requests.RequestException, ValueError) as fault:
        raise ExchangeFault("bad_url", f"no address to ask ({type(fault).__name__})") from None
    if not parts.hostname or port == 0 or parts.scheme not in ("http", "https"):
        raise ExchangeFault("bad_url", "the address has no host, or no port to ask")
    return request.url or ""
