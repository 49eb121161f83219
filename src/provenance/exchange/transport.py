"""Put the recorder below requests: session, adapter, pools and connections. The only door to both
requests and urllib3.
"""

from __future__ import annotations

import functools
import ssl
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ProxyError

from provenance.exchange.recorder import ExchangeFault, Recorder, RecordingResponse
from provenance.exchange.values import Fault

TransportError = (requests.RequestException, HTTPError, OSError, ValueError)
"""What a send may raise; `fault_of` puts it into words."""


Held = requests.Response
"""What keeps a response's wire open."""


class _Recording:
    """What plain and TLS connections share: dialling through, and wrapping by, the recorder."""

    recorder: Recorder
    sock: Any

    def _new_conn(self) -> Any:
        host, port = self._dns_host, self.port  # type: ignore[attr-defined]
        to_proxy = self.proxy is not None  # type: ignore[attr-defined]
        return self.recorder.dial(host, port, to_proxy=to_proxy)

    def connect(self) -> None:
        since = self.recorder.monotonic()
        super().connect()  # type: ignore[misc]
        self.sock = self.recorder.connected(self.sock, since=since)


class _PlainConnection(_Recording, HTTPConnection):
    def __init__(self, recorder: Recorder, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.recorder = recorder
        self.response_class = _response_class(recorder)


class _TlsConnection(_Recording, HTTPSConnection):
    def __init__(self, recorder: Recorder, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.recorder = recorder
        self.response_class = _response_class(recorder)


def _response_class(recorder: Recorder) -> type[RecordingResponse]:
    return type("Response", (RecordingResponse,), {"recorder": recorder})


def _pool_classes(recorder: Recorder) -> dict[str, type[HTTPConnectionPool]]:
    plain = functools.partial(_PlainConnection, recorder)
    tls = functools.partial(_TlsConnection, recorder)
    return {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
    }


class RecordingAdapter(HTTPAdapter):
    """A requests transport adapter whose connections are the recorder's."""

    def __init__(self, recorder: Recorder) -> None:
        self._pools = _pool_classes(recorder)
        super().__init__(pool_connections=4, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool manager hand out recording pools."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make a proxy's pool manager hand out recording pools too."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


class RecordingSession(requests.Session):
    """A session that follows no redirect and reads no environment."""

    def __init__(self, recorder: Recorder, fields: dict[str, str]) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.clear()
        self.headers.update(fields)
        adapter = RecordingAdapter(recorder)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: a redirect is the caller's to follow, its body the recorder's to read."""

    def ask(
        self,
        url: str,
        *,
        fields: dict[str, str],
        timeout_s: float,
        proxy: str | None,
        ca_file: Path | None,
    ) -> Held:
        """Send GET `url` and read the response's head; the recorder holds the response.

        What is returned closes the wire when it is dropped: keep it until the body is read.
        """
        prepared = self.prepare_request(requests.Request("GET", url, headers=fields))
        response = self.send(
            prepared,
            stream=True,
            allow_redirects=False,
            timeout=timeout_s,
            verify=str(ca_file) if ca_file else True,
            proxies={"http": proxy, "https": proxy} if proxy else {},
        )
        response.raw.release_conn()
        return response


def fault_of(raised: BaseException) -> Fault:
    """Put whatever a send raised into a reason and a detail.

    The chain of causes is walked: urllib3 and requests wrap what the socket said.
    """
    chain = tuple(_chain(raised))
    for each in chain:
        if isinstance(each, ExchangeFault):
            return each.fault
    for kind, reason in (
        (ssl.SSLError, "tls"),
        (ssl.CertificateError, "tls"),
        (ProxyError, "proxy"),
        (TimeoutError, "timeout"),
        (ConnectionError, "disconnect"),
        (requests.exceptions.SSLError, "tls"),
        (requests.exceptions.Timeout, "timeout"),
        (requests.exceptions.InvalidURL, "bad_url"),
        (requests.exceptions.MissingSchema, "bad_url"),
        (requests.exceptions.InvalidSchema, "bad_url"),
        (UnicodeError, "bad_url"),
    ):
        for each in chain:
            if isinstance(each, kind):
                return Fault(reason=reason, detail=str(each) or type(each).__name__)
    return Fault(reason="network", detail=str(raised) or type(raised).__name__)


def _chain(raised: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[object] = [raised]
    while waiting and len(found) < 50:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return found
