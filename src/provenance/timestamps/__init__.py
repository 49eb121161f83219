"""Have checkpoints dated by others, and check such datings: RFC 3161 and OpenTimestamps."""
