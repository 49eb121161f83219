"""The transparency log: tree, tiles, notes, checkpoints, proofs and leaves. Opens no file."""
