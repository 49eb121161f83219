"""The table of finding codes: what each means and what to do. Pure: judges nothing.

Codes are stable: other programs match on them. `docs/findings.md` is made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from provenance.findings.explanation import Explanation, table

_COPY = "Compare with another copy of the file and restore it from one that verifies."
_WRITER = "The file may be as its writer made it; compare with another copy before using it."


FILE_CODES = table(
    (
        "empty_archive",
        "The archive holds no WARC file.",
        "Check the root (-C DIR); if files are gone, restore archive/ from a copy.",
    ),
    (
        "foreign_file",
        "A file in archive/ is no WARC and does not belong there. It is left alone.",
        "Move it out of archive/; `provenance add` keeps a document.",
    ),
    ("unreadable_file", "The system refuses to read a file.", "Mend its permissions or the disk."),
    ("empty_file", "A WARC file has no bytes.", _COPY),
    (
        "file_duplicate",
        "Two files have the same bytes; the second adds nothing.",
        "Remove one of them and its line in the manifest.",
    ),
    (
        "no_record",
        "A gzip member, or the whole file, holds no WARC record.",
        _COPY,
    ),
    ("more_findings", "The file has more findings than are listed.", _COPY),
    (
        "scan_abandoned",
        "The file is damaged in so many places that the search for records was given up.",
        _COPY,
    ),
)
"""Codes about files as a whole."""

FRAMING_CODES = table(
    ("gzip_cut", "The file ends inside a gzip member.", _COPY),
    ("gzip_damaged", "The compressed bytes of a gzip member are no deflate stream.", _COPY),
    ("gzip_crc", "The CRC-32 of a gzip member does not fit its bytes.", _COPY),
    ("gzip_size", "The length at the end of a gzip member does not fit its bytes.", _COPY),
    (
        "gzip_many_records",
        "A gzip member holds more than one record, so records cannot be read one by one.",
        "Recompress a copy record by record; the digests stay the same.",
    ),
    ("stray_bytes", "There are bytes before, between or after the records.", _COPY),
    ("header_unending", "A record header has no empty line at its end.", _COPY),
    ("header_line", "A line of a record header is no `name: value`.", _WRITER),
    ("header_line_end", "A line of a record header does not end with CR LF.", _WRITER),
    ("header_folded", "A header field of ours goes over several lines.", _COPY),
    ("header_not_utf8", "A record header is no UTF-8.", _WRITER),
    ("version_unknown", "The record is neither WARC/1.0 nor WARC/1.1.", _WRITER),
    ("content_length_illegal", "Content-Length is missing or no number.", _COPY),
    ("content_length", "The block has another length than Content-Length says.", _COPY),
    ("block_short", "The record ends before Content-Length is reached.", _COPY),
    (
        "record_trailer",
        "Past Content-Length the record does not end with exactly CR LF CR LF.",
        _WRITER,
    ),
)
"""Codes about gzip members and the framing of records. Source: RFC 1952; WARC 1.1 §4, annex D."""

ARC_CODES = table(
    (
        "arc_version",
        "An ARC file does not begin with a version block of version 1 or 2, or has a second one.",
        _WRITER,
    ),
    ("arc_line", "There are bytes that are no record of an ARC file.", _COPY),
    ("arc_field", "A field of the line before a document is not legal.", _WRITER),
    ("arc_length", "The document has another length than the line before it says.", _COPY),
    ("arc_short", "The document ends before the length that the line before it says.", _COPY),
    ("arc_separator", "Between two documents there is not one line end.", _WRITER),
)
"""Codes about ARC files. Source: Arc File Format, versions 1 and 2."""

RECORD_CODES = table(
    ("field_missing", "A mandatory field is missing.", _WRITER),
    ("field_repeated", "A field stands twice that may stand once.", _WRITER),
    ("field_illegal", "The value of a field is not legal.", _WRITER),
    ("field_not_allowed", "The field may not stand on this type of record.", _WRITER),
    ("type_unknown", "A record of ours has a type that we never write.", _COPY),
    ("digest_unreadable", "A declared digest is no value of its algorithm.", _WRITER),
    ("digest_form", "A digest of ours is not sha256: and 64 lower-case hex digits.", _COPY),
    ("block_digest", "The block's digest is another than declared: bytes changed.", _COPY),
    (
        "payload_digest",
        "The payload's digest is another than declared, in every reading of it.",
        _COPY,
    ),
    (
        "payload_digest_chunked",
        "A chunked response of ours carries WARC-Payload-Digest, which readers check differently.",
        _COPY,
    ),
    (
        "http_length",
        "The body has another length than its HTTP Content-Length, and is not marked as cut.",
        _COPY,
    ),
    ("http_unreadable", "A response block of ours does not begin with an HTTP head.", _COPY),
)
"""Codes about single records. Source: WARC 1.1 §5, §6."""

CAPTURE_CODES = table(
    ("record_id_duplicate", "Two records of the archive have the same WARC-Record-ID.", _COPY),
    ("warcinfo_missing", "Records of ours do not follow a warcinfo record of ours.", _COPY),
    ("metadata_missing", "A capture of ours has no metadata record.", _COPY),
    ("request_missing", "A fetched capture of ours has no request record.", _COPY),
    ("records_disordered", "The records of a capture of ours stand in another order.", _COPY),
    (
        "records_disagree",
        "Records of one capture of ours differ in date, target or address.",
        _COPY,
    ),
    ("concurrent_missing", "WARC-Concurrent-To names no record beside this one.", _COPY),
    (
        "revisit_target_missing",
        "The record that a revisit refers to is not in the archive.",
        "Find the file with the original capture and put it back.",
    ),
    ("revisit_target_is_revisit", "A revisit refers to another revisit.", _WRITER),
    ("revisit_disagrees", "What a revisit says of its original is not so.", _COPY),
    ("redirect_missing", "A hop of a redirect chain is not in the archive.", _COPY),
    ("chain_missing", "A certificate chain that a capture names is not in the archive.", _COPY),
    (
        "requisite_missing",
        "A page's list names a capture, its own or a requisite's, that is not in the archive.",
        _COPY,
    ),
    ("metadata_unreadable", "A metadata record of ours is no JSON object we know.", _COPY),
    ("metadata_disagrees", "The metadata record says other things than the bytes.", _COPY),
    (
        "outcomes_disagree",
        "A run's closing record counts other outcomes than its files hold.",
        "Records were dropped or added; compare the run's files with another copy.",
    ),
)
"""Codes about records as they stand to each other."""

MANIFEST_CODES = table(
    (
        "manifest_missing",
        "There are WARC files but no metadata/manifest-sha256.txt.",
        "Restore the manifest from a copy; without it, dropped files go unnoticed.",
    ),
    (
        "manifest_line",
        "A line of the manifest has not the form `<sha256>  archive/NAME`.",
        "Restore the manifest from a copy.",
    ),
    (
        "manifest_duplicate",
        "The manifest lists a file twice.",
        "Restore the manifest from a copy.",
    ),
    (
        "not_in_manifest",
        "A WARC file is not listed in the manifest.",
        "If the file is not yours, move it out of archive/; else restore the manifest from a copy.",
    ),
    ("listed_file_missing", "A file that the manifest lists is gone.", "Restore it from a copy."),
    (
        "manifest_order",
        "The manifest lists files in another order than the log, which is that of sealing.",
        "Restore the manifest from a copy.",
    ),
    ("file_digest", "The file's SHA-256 is another than the manifest says.", _COPY),
)
"""Codes about the manifest of files."""

_LOG_COPY = "Restore the log from a copy; a checkpoint kept elsewhere says which copy is right."
_CHANGED = (
    "The file is not what it was when it was committed to. Restore it from a copy that verifies."
)

LOG_CODES = table(
    (
        "checkpoint_missing",
        "There is a log, but no newest checkpoint, or not one that a file names.",
        _LOG_COPY,
    ),
    (
        "checkpoint_unreadable",
        "A checkpoint is not of its form, or has more lines than this tool writes.",
        _LOG_COPY,
    ),
    ("checkpoint_disagrees", "Two checkpoints, or a checkpoint and its name, disagree.", _LOG_COPY),
    (
        "log_damaged",
        "A part of the log is missing, cannot be read, or is not what its leaves give.",
        _LOG_COPY,
    ),
    ("log_root", "The leaves of the log do not give the root of a checkpoint.", _LOG_COPY),
    ("log_foreign_file", "A file that belongs to no log lies in metadata/log.", "Move it away."),
    (
        "log_rolled_back",
        "The log does not go on from a checkpoint that a file names, or that was kept elsewhere.",
        _LOG_COPY,
    ),
    ("logged_file_missing", "A file that the log covers is gone.", "Restore it from a copy."),
    ("log_file_changed", "The log has the file with other bytes or records.", _CHANGED),
    ("logged_capture_missing", "The log has a capture that the file has no more.", _CHANGED),
    ("logged_capture_changed", "The log has a capture with another record.", _CHANGED),
    (
        "unlogged_capture",
        "A file that the log covers has a capture, or record, that the log has not.",
        _CHANGED,
    ),
    (
        "stamp_refused",
        "A time-stamp does not hold: it is damaged, of other bytes, or by nobody who is trusted.",
        "Restore its files from a copy; docs/timestamps.md says how to check one by hand.",
    ),
    (
        "signature_refused",
        "A checkpoint carries no signature that the operator's key made.",
        "Ask the operator; keep both checkpoints as evidence.",
    ),
    (
        "operator_key_changed",
        "The key that signs the log is another than the one that is known.",
        "Ask the operator, by another way than the archive, which key is right.",
    ),
    (
        "operator_key_unreadable",
        "Checkpoints are signed, and the operator's public key is missing or no key.",
        "Give the key with --key, or restore metadata/log/operator.pub from a copy.",
    ),
    (
        "cosignature_refused",
        "A cosignature in the name of a witness that was given does not hold, or is no witness'.",
        "Ask the witness what it has cosigned; keep the checkpoint as evidence.",
    ),
    ("log_order", "The records of a file stand in another order than in the log.", _CHANGED),
)
"""Codes about the transparency log. Source: RFC 6962 §2.1; C2SP tlog-tiles, tlog-checkpoint,
tlog-cosignature."""

_INDEX = "Run `provenance index`, and verify again; if it stays, restore the file from a copy."
_PACKAGE = "Compare with another copy of the WACZ; ask its maker for the SHA-256 of the file."
_UNPACK = (
    "Unpack it with another tool, look at what it holds, and verify the WARC files by themselves."
)

TARGET_CODES = table(
    (
        "capture_elsewhere",
        "Where the index places a capture stands no record with its id.",
        _INDEX,
    ),
    (
        "content_other",
        "The capture has another content than the one it is looked up by, or cited with.",
        "Look at both with `provenance show`; the citation or the index is not of this capture.",
    ),
    (
        "cited_id_missing",
        "A citation names an id that nothing in the archive has.",
        "Compare the citation with another copy of it; the archive may be another one, or older.",
    ),
)
"""Codes about what `verify` was asked for by an id, a citation or a document."""

WACZ_CODES = table(
    ("zip_damaged", "The file cannot be read as a ZIP, or a member of it cannot.", _PACKAGE),
    ("zip_crc", "The CRC-32 of a member does not fit its bytes.", _PACKAGE),
    ("zip_directory", "The ZIP's directory is larger than is read.", _UNPACK),
    (
        "zip_overlap",
        "Two members of the ZIP share bytes, or a member is not as the directory says.",
        _UNPACK,
    ),
    ("zip_name", "The name of a member leads out of the package, or is no path.", _UNPACK),
    (
        "zip_duplicate",
        "Two members have the same name, so that readers see different ones.",
        _UNPACK,
    ),
    ("zip_link", "A member is a link or a device, and no file.", _UNPACK),
    (
        "zip_packing",
        "A member is encrypted, or compressed in a way that WACZ does not know.",
        _UNPACK,
    ),
    ("zip_large", "A compressed member has more bytes than are unpacked here.", _UNPACK),
    (
        "wacz_package_missing",
        "There is no datapackage.json: nothing says what belongs here.",
        _PACKAGE,
    ),
    ("wacz_package_illegal", "datapackage.json, or an entry of it, is not of its form.", _PACKAGE),
    ("wacz_resource_missing", "datapackage.json lists a file that is not there.", _PACKAGE),
    ("wacz_resource_unlisted", "A file is not listed in datapackage.json.", _PACKAGE),
    ("wacz_resource_size", "A file has another length than datapackage.json says.", _PACKAGE),
    ("wacz_resource_digest", "A file has another digest than datapackage.json says.", _PACKAGE),
    (
        "wacz_resource_unhashed",
        "datapackage.json lists a file without a digest that is known here.",
        _PACKAGE,
    ),
    (
        "wacz_digest",
        "datapackage-digest.json has another digest than datapackage.json: one of them was edited.",
        _PACKAGE,
    ),
    ("wacz_digest_illegal", "datapackage-digest.json is not of its form.", _PACKAGE),
    ("wacz_no_warc", "The package holds no WARC file in archive/.", _PACKAGE),
)
"""Codes about packages. Source: WACZ 1.1.1; APPNOTE 6.3.10 (ZIP)."""

CODES: Mapping[str, Explanation] = MappingProxyType(
    {
        **FILE_CODES,
        **FRAMING_CODES,
        **ARC_CODES,
        **RECORD_CODES,
        **CAPTURE_CODES,
        **MANIFEST_CODES,
        **LOG_CODES,
        **TARGET_CODES,
        **WACZ_CODES,
    }
)
"""Every finding code."""
