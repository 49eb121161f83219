"""What the index says, read into the values that pages show. Reads only; knows nothing of HTTP."""
