"""The transparency log: tree, tiles, notes, checkpoints, proofs, leaves, time-stamps and keys."""
