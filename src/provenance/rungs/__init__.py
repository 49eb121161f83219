"""The rungs above *whole*: what the log says of a file, and who dated, signed and witnessed it."""
