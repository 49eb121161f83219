"""The table of note codes: what each means and what to do. Pure: judges nothing.

A note is worth knowing, and no fault. Codes are stable, as those of findings (`codes`).
"""

from __future__ import annotations

from provenance.findings.explanation import table

NOTES = table(
    (
        "seeds_changed",
        "A seeds file is another than the one a run was made from; curators may edit seeds.",
        "Run `provenance index --check` to see whether the index follows the seeds.",
    ),
    (
        "interrupted",
        "A file in archive/ is being written, or was left by an interrupted run.",
        "Nothing while its run is at work; after that, any command that may write recovers it.",
    ),
    (
        "capture_cut",
        "The last capture of a file is unfinished: its run was killed there.",
        "Nothing to do: it was not reported as saved, and the next fetch asks again.",
    ),
    (
        "payload_reading",
        "Payload digests are of other bytes than the standard says; which, `found` tells.",
        "Nothing to do: writers differ.",
    ),
    ("algorithm_unknown", "A digest's algorithm is not known here.", "Check it with another tool."),
    ("type_unknown", "A record type that is not in the standard.", "Nothing to do."),
    (
        "arc_undigested",
        "An ARC file: its framing is checked. The format has no digests.",
        "Compare with another copy: nothing in the file tells whether a document's bytes changed.",
    ),
    (
        "not_in_log",
        "Files that were sealed since the newest checkpoint: nothing commits to them yet.",
        "Run `provenance log checkpoint`.",
    ),
    (
        "checkpoint_older",
        "A checkpoint that was given is older than the capture, and says nothing of it.",
        "Give one that was kept after the capture was sealed, to have the capture held against it.",
    ),
    (
        "stamp_unchecked",
        "A time-stamp is whole, but nobody was named who is trusted to date.",
        "Give the authority's root certificate with --tsa-ca.",
    ),
    (
        "stamp_untrusted",
        "A time-stamp is whole, and by an authority that was not named; one that was, or a block,"
        " dates the same checkpoint.",
        "Nothing to do; give that authority's root certificate with --tsa-ca too, if you trust it.",
    ),
    (
        "proof_pending",
        "An OpenTimestamps calendar has promised to bring a checkpoint into a Bitcoin block. Until"
        " then its proof dates nothing.",
        "Some hours later, run `provenance log timestamp --upgrade`.",
    ),
    (
        "proof_unchecked",
        "An OpenTimestamps proof leads to the merkle root of a Bitcoin block, as it says itself.",
        "Give the header of that block with --bitcoin-header.",
    ),
    (
        "block_unasked",
        "An OpenTimestamps proof leads to the block whose header was given. Whether that block is"
        " in the chain, at that height, is not checked here; its clock may be two hours off.",
        "Compare the block's hash with a node of your own, or with several sources.",
    ),
    (
        "block_unneeded",
        "The header of a block was given to which no proof of this log leads.",
        "Compare its merkle root with the one that the proof expects.",
    ),
    (
        "operator_key_unasked",
        "Signatures were checked with the key that lies in the archive itself.",
        "Compare it with the operator's, had by another way, or give that with --key.",
    ),
    (
        "cosignature_unasked",
        "Checkpoints carry signatures by others than the operator, which were not checked.",
        "Give the public key line of a witness that you know with --witness-key.",
    ),
    (
        "log_unfinished",
        "A part of the log that no checkpoint needs: outgrown, or from an interrupted command.",
        "Nothing to do; it proves nothing and does no harm.",
    ),
    (
        "revisit_elsewhere",
        "A revisit refers to a record in another file.",
        "Verify the whole archive to have it checked.",
    ),
    (
        "zip_stray",
        "A ZIP has bytes that belong to no member: no digest covers them, no reader shows them.",
        "Look at them where it matters that nothing is hidden in the file.",
    ),
    (
        "wacz_version",
        "datapackage.json is of another version than 1.1.1; it is read as far as it is alike.",
        "Nothing to do.",
    ),
    (
        "wacz_digest_missing",
        "There is no datapackage-digest.json, so that nothing tells whether the list was edited.",
        "Ask the maker of the package for the SHA-256 of the file.",
    ),
    (
        "wacz_signature_unchecked",
        "The package carries a signature, which is not checked here.",
        "Check it with a tool for WACZ signatures.",
    ),
    (
        "wacz_part_missing",
        "WACZ 1.1.1 asks for pages/pages.jsonl and a file in indexes/; one of them is not there.",
        "Nothing to do for the records; some players need them.",
    ),
    (
        "wacz_unread",
        "Pages and indexes of a package are checked by their digests alone, not against records.",
        "Make the index anew from the records where it matters.",
    ),
)
"""Codes of notes, which are no faults."""
