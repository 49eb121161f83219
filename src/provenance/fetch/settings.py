"""What a fetch is asked to do, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from provenance.errors import UsageError
from provenance.exchange.credentials import without_credentials
from provenance.model import CollectionId, DocumentId


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """How to fetch.

    `max_run_time_s`: the whole run, None for no bound; `conditional`: ask for a body only where the
    server says that it has changed, where an earlier answer gave validators; `requisites`: fetch
    what pages need for their replay too, and pages whole each time; `trust_env`: proxies,
    certificates and .netrc of the environment count, as for requests; `keep_credentials`: they go
    into the WARC, and the captures are flagged; `memento`: the TimeGate of the archive that is
    asked for documents whose address is gone.
    `jobs`: hosts at once; `delay_s`: between requests to one host; `timeout_s`: connecting and each
    wait for bytes; `max_time_s`, `max_bytes`: one document; `retries`: further attempts after a
    transient fault; `ignore_robots`: the reason for not asking robots.txt, None to obey it.
    """

    jobs: int = 64
    delay_s: float = 1.0
    timeout_s: float = 60.0
    max_time_s: float = 3600.0
    max_run_time_s: float | None = None
    max_bytes: int = 8 << 30
    retries: int = 2
    conditional: bool = True
    proxy: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    cookie_file: Path | None = None
    trust_env: bool = True
    keep_credentials: bool = False
    ignore_robots: str | None = None
    allow_private: bool = False
    alternates: bool = False
    requisites: bool = False
    memento: str | None = None
    contact: str | None = None
    operator: str | None = None

    def user_agent(self, product: str) -> str:
        """Return the User-Agent field: `product` and the contact.

        Source: RFC 9110 §5.5: what is no printable ASCII has no one form in a field.

        Raises:
            UsageError: the contact cannot be sent.
        """
        if not self.contact:
            return product
        if not self.contact.isascii() or not self.contact.isprintable():
            raise UsageError(
                "the contact cannot stand in a request",
                expected="plain ASCII, such as a mail address or https://example.org/about",
                found=repr(self.contact),
            )
        return f"{product} (+{self.contact})"

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Return the settings that affect capture, as warcinfo fields."""
        named = {
            "jobs": self.jobs,
            "delay-s": self.delay_s,
            "timeout-s": self.timeout_s,
            "max-time-s": self.max_time_s,
            "max-run-time-s": self.max_run_time_s,
            "max-bytes": self.max_bytes,
            "retries": self.retries,
            "conditional": "yes" if self.conditional else "no",
            "proxy": without_credentials(self.proxy) if self.proxy else None,
            "ca-file": "set" if self.ca_file else None,
            "client-cert": "set" if self.client_cert else None,
            "cookies": "set" if self.cookie_file else None,
            "environment": "yes" if self.trust_env else "no",
            "keep-credentials": "yes" if self.keep_credentials else None,
            "ignore-robots": self.ignore_robots,
            "allow-private": "yes" if self.allow_private else "no",
            "alternates": "yes" if self.alternates else "no",
            "requisites": "yes" if self.requisites else "no",
            "memento": self.memento,
        }
        return tuple(
            (f"setting-{name}", _line(value)) for name, value in named.items() if value is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One document to be fetched; `url` None makes it `skipped`.

    `published` is its partial date; `media_type` is the expected one; `networks` are the private
    networks its collection opens.
    """

    collection: CollectionId
    document: DocumentId
    url: str | None
    media_type: str | None = None
    published: str | None = None
    networks: tuple[str, ...] = ()


def _line(value: object) -> str:
    return " ".join(str(value).split())
