"""Speak HTTP through requests and record exactly what went over the wire.

The wing knows sockets and HTTP; it knows no WARC, no seeds and no index.
"""

from provenance.exchange.client import Client, ClientSettings
from provenance.exchange.values import Exchange, Fault, TlsSession

__all__ = ["Client", "ClientSettings", "Exchange", "Fault", "TlsSession"]
