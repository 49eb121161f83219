"""Speak HTTP through requests and record exactly what went over the wire.

The wing knows sockets and HTTP; it knows no WARC, no seeds and no index.
"""

from provenance.exchange.client import Client
from provenance.exchange.credentials import read_cookies, split_credentials, without_credentials
from provenance.exchange.proxies import proxy_for
from provenance.exchange.trust import Trust
from provenance.exchange.values import ClientSettings, Exchange, Fault, TlsSession

__all__ = [
    "Client",
    "ClientSettings",
    "Exchange",
    "Fault",
    "TlsSession",
    "Trust",
    "proxy_for",
    "read_cookies",
    "split_credentials",
    "without_credentials",
]
