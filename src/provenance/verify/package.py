"""Read a WACZ's two lists and compare them with the files there are. Pure: opens no file.

Source: WACZ 1.1.1 (datapackage.json, datapackage-digest.json); Frictionless Data Package.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provenance.findings.finding import Finding, finding

PACKAGE = "datapackage.json"
DIGEST = "datapackage-digest.json"
_UNLISTED = frozenset({PACKAGE, DIGEST})
_RESOURCES_LIMIT = 200_000


ALGORITHMS = ("md5", "sha1", "sha256", "sha512")
"""The algorithms of a listed digest that are known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A file's size in bytes and its digest in hexadecimal, by the algorithm that is listed."""

    size: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A file as the list has it; `algorithm` and `digest` are None where there are none."""

    path: str
    algorithm: str | None
    digest: str | None
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package's list, and what is wrong with its form."""

    version: str | None
    resources: tuple[Resource, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldDigest:
    """What the digest of the list says: whether it carries a signature, and what is wrong."""

    signed: bool
    findings: tuple[Finding, ...]


def parse_package(raw: bytes) -> Package:
    """Parse datapackage.json; what is not of its form becomes a finding."""
    said = _object(raw)
    listed = said.get("resources") if said is not None else None
    if said is None or not isinstance(listed, list) or len(listed) > _RESOURCES_LIMIT:
        expected = "a JSON object with a list of resources"
        return Package(
            version=None,
            resources=(),
            findings=(_illegal(PACKAGE, expected, "other JSON" if said is not None else "none"),),
        )
    resources: list[Resource] = []
    findings: list[Finding] = []
    paths: set[str] = set()
    for number, each in enumerate(listed):
        place = f"{PACKAGE} resources[{number}]"
        path = each.get("path") if isinstance(each, dict) else None
        if not isinstance(path, str):
            findings.append(_illegal(place, "an object with a path", each))
        elif path in paths:
            findings.append(_illegal(f"{place}.path", "one entry for a file", path))
        else:
            paths.add(path)
            resources.append(_resource(path, each))
    version = said.get("wacz_version")
    return Package(
        version=version if isinstance(version, str) else None,
        resources=tuple(resources),
        findings=tuple(findings),
    )


def _resource(path: str, said: Mapping[str, Any]) -> Resource:
    """Read an entry; before 1.1 digest and size stood one level down, without the algorithm."""
    stats = said.get("stats")
    old = stats if isinstance(stats, dict) else {}
    written, size = said.get("hash", old.get("hash")), said.get("bytes", old.get("bytes"))
    # A digest without a label is MD5 (Data Resource, `hash`), unless an old entry names another.
    label, mark, digest = str(written or "").lower().rpartition(":")
    if not mark:
        label = str(said.get("hashing", "md5")).lower()
    known = label in ALGORITHMS and bool(digest)
    return Resource(
        path=path,
        algorithm=label if known else None,
        digest=digest if known else None,
        size=size if isinstance(size, int) and not isinstance(size, bool) else None,
    )


def check_resources(
    package: Package, names: Sequence[str], measured: Mapping[str, Measured]
) -> Iterator[Finding]:
    """Yield what the list says otherwise than the files `names`, and what it leaves out."""
    there = set(names)
    for each in package.resources:
        found = measured.get(each.path)
        if each.path not in there:
            yield finding(
                "wacz_resource_missing", field=each.path, expected="the file", found="none"
            )
        elif found is not None:
            yield from _compare(each, found)
    listed = {each.path for each in package.resources}
    for name in names:
        if name not in listed and name not in _UNLISTED:
            yield finding(
                "wacz_resource_unlisted",
                field=name,
                expected=f"an entry in {PACKAGE}",
                found="none",
            )


def _compare(each: Resource, found: Measured) -> Iterator[Finding]:
    if each.size is not None and each.size != found.size:
        yield finding(
            "wacz_resource_size",
            field=each.path,
            expected=f"{each.size} bytes",
            found=f"{found.size} bytes",
        )
    if each.algorithm is None or each.digest is None:
        known = ", ".join(ALGORITHMS)
        yield finding(
            "wacz_resource_unhashed", field=each.path, expected=f"one of {known}", found="none"
        )
    elif each.digest != found.digest:
        yield finding(
            "wacz_resource_digest",
            field=each.path,
            expected=f"{each.algorithm}:{each.digest}",
            found=f"{each.algorithm}:{found.digest}",
        )


def check_digest(raw: bytes, package: bytes) -> ToldDigest:
    """Compare datapackage-digest.json with the list; the signature is looked at and not checked."""
    said = _object(raw)
    if said is None or said.get("path") != PACKAGE or not isinstance(said.get("hash"), str):
        expected = f"a JSON object with the path {PACKAGE} and a hash"
        fault = finding(
            "wacz_digest_illegal", field=DIGEST, expected=expected, found=raw[:80] or "nothing"
        )
        return ToldDigest(signed=False, findings=(fault,))
    signed = said.get("signedData")
    inner = signed.get("hash") if isinstance(signed, dict) else None
    now = f"sha256:{hashlib.sha256(package).hexdigest()}"
    claims = [("hash", said["hash"])]
    claims += [("signedData.hash", inner)] if inner is not None else []
    return ToldDigest(
        signed=bool(signed),
        findings=tuple(
            finding("wacz_digest", field=f"{DIGEST} {name}", expected=claim, found=now)
            for name, claim in claims
            if claim != now
        ),
    )


def _object(raw: bytes) -> Mapping[str, Any] | None:
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _illegal(field: str, expected: str, found: object) -> Finding:
    return finding("wacz_package_illegal", field=field, expected=expected, found=found)
