"""The transparency log: tree, tiles, notes, checkpoints, proofs, leaves, witnesses and keys."""
