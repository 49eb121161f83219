"""Speak TLS: whom to trust, how to show who we are, and what was agreed on."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssltransport import SSLTransport

from provenance.errors import UsageError
from provenance.exchange.faults import ExchangeFault, tls_fault
from provenance.exchange.values import ClientSettings, TlsSession

_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_MOST_FILES = 1000
_Wrapped = TypeVar("_Wrapped")
_DER = 2
"""`_ssl.ENCODING_DER`."""


class Trust:
    """The certificates to trust and to show; one serves many clients and threads.

    Raises:
        UsageError: a file that the user named cannot be used.
    """

    def __init__(self, settings: ClientSettings, environ: Mapping[str, str]) -> None:
        self._authorities, self._where = _authorities(settings, environ)
        self._client = (settings.client_cert, settings.client_key)
        if settings.client_key and not settings.client_cert:
            raise UsageError(
                "this is the key of no certificate",
                where=str(settings.client_key),
                hint="Name the certificate with --client-cert.",
            )
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        if self.custom or settings.client_cert:
            self._context = self._made()

    @property
    def custom(self) -> bool:
        """True where the user named the authorities."""
        return self._authorities is not None

    def context(self) -> ssl.SSLContext:
        """Return the settings of every handshake, made when the first one needs them."""
        with self._lock:
            if self._context is None:
                self._context = self._made()
            return self._context

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python before 3.11.4, which Debian 12 has, sets this: the end of a connection would count
        # as a closing alert, and a body that was cut as whole.
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.hostname_checks_common_name = False
        context.post_handshake_auth = True
        context.set_alpn_protocols(["http/1.1"])
        if self._authorities is None:
            context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH)
        else:
            _load_authorities(context, self._authorities, self._where)
        if self._client[0] is not None:
            _load_client(context, self._client[0], self._client[1])
        return context

    def wrap(self, wire: socket.socket, host: str) -> ssl.SSLSocket:
        """Return the TLS connection to `host` over a connected socket.

        Raises:
            ExchangeFault: tls or timeout; the socket is closed.
        """
        # Without a closing alert, the end of a connection is not the end of what was sent.
        return self._shaken(
            wire,
            host,
            lambda name: self.context().wrap_socket(
                wire, server_hostname=name, suppress_ragged_eofs=False
            ),
        )

    def wrap_inside(self, wire: Any, host: str) -> SSLTransport:
        """Return the TLS connection to `host` inside the one to a proxy, which `wire` is.

        Raises:
            ExchangeFault: tls or timeout; the wire is closed.
        """
        return self._shaken(
            wire, host, lambda name: SSLTransport(wire, self.context(), name, False)
        )

    def _shaken(self, wire: Any, host: str, shake: Callable[[str], _Wrapped]) -> _Wrapped:
        try:
            return shake(host.partition("%")[0].rstrip("."))
        except OSError as raised:
            wire.close()
            fault = tls_fault(raised, host=host)
            raise ExchangeFault(fault.reason, fault.detail) from None
        except ValueError:
            wire.close()
            raise ExchangeFault("tls", f"wrong_host: no certificate can name {host}") from None

    def session_of(self, wire: ssl.SSLSocket | SSLTransport) -> TlsSession:
        """Return what a connection agreed on."""
        cipher = wire.cipher()
        return TlsSession(
            version=wire.version() or "",
            cipher=str(cipher[0]) if cipher else "",
            certificates=peer_chain(wire),
            custom_ca=self.custom,
        )


def peer_chain(wire: Any) -> tuple[bytes, ...]:
    """Return the certificates that the server sent, DER, its own first.

    Python 3.13 gives the chain. Earlier versions have it below the public interface; should it not
    be there, the server's own certificate stands alone.
    """
    public = getattr(wire, "get_unverified_chain", None)
    if public is not None:
        return tuple(public())
    inner = getattr(getattr(wire, "sslobj", wire), "_sslobj", None)
    try:
        return tuple(each.public_bytes(_DER) for each in inner.get_unverified_chain())  # type: ignore[union-attr]
    except (AttributeError, TypeError, ValueError, ssl.SSLError):
        own = wire.getpeercert(binary_form=True)
        return (own,) if own else ()


def _authorities(settings: ClientSettings, environ: Mapping[str, str]) -> tuple[Path | None, str]:
    if settings.ca_file is not None:
        return settings.ca_file, str(settings.ca_file)
    for name in _BUNDLE_VARIABLES:
        if environ.get(name):
            return Path(environ[name]), f"{name}={environ[name]}"
    return None, ""


def _load_authorities(context: ssl.SSLContext, path: Path, where: str) -> None:
    """Load a file of certificates, or a directory of them, by OpenSSL's hashed names or not."""
    try:
        if not path.is_dir():
            context.load_verify_locations(cafile=str(path))
            return
        names = sorted(each.name for each in path.iterdir())
        if any(_HASHED.fullmatch(name) for name in names):
            context.load_verify_locations(capath=str(path))
            return
        for name in names[:_MOST_FILES]:
            if name.endswith((".pem", ".crt", ".cer")):
                context.load_verify_locations(cafile=str(path / name))
        found = f"{context.cert_store_stats()['x509']} certificates"
    except OSError as fault:
        found = fault.strerror or type(fault).__name__
        raise _no_authorities(where, found) from None
    if not context.cert_store_stats()["x509"]:
        raise _no_authorities(where, found)


def _no_authorities(where: str, found: str) -> UsageError:
    return UsageError(
        "cannot be used to verify servers",
        where=where,
        expected="a PEM file of certificates, or a directory of such files",
        found=found,
    )


class _Locked(Exception):
    pass


def _load_client(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    def password() -> str:
        raise _Locked

    where = str(certificate) if key is None else f"{certificate} with {key}"
    try:
        context.load_cert_chain(certificate, key, password=password)
    except _Locked:
        raise UsageError(
            "the key is protected by a password",
            where=str(key or certificate),
            hint="Nobody can be asked for it during a run: give a key without one, readable by "
            "you alone (openssl pkey -in KEY -out PLAIN-KEY).",
        ) from None
    except OSError as fault:
        raise UsageError(
            "cannot be shown as client certificate",
            where=where,
            expected="a PEM file with a certificate and its key, or one for each",
            found=fault.strerror or getattr(fault, "reason", None) or type(fault).__name__,
        ) from None
