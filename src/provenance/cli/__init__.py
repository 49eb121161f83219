"""The command line: each command is a thin skin on the archive. The only door to click."""

from provenance.cli.main import main

__all__ = ["main"]
