"""Keep the documents behind an article as they were served, and cite them by fixed hashes."""

__version__ = "0.1.0"
