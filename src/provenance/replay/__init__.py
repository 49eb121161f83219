"""Show an archived page with what it needs, as far as the archive has it. Opens no socket."""
