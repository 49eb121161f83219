"""Write, seal, recover and read WARC files; the only wing that knows the format."""
