#!/bin/sh
# Print the first Python that can carry this project; say what is missing where there is none.
# Asked for in this order: $PYTHON, the default python3, then the versions by name.
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
    if "$candidate" - 2>/dev/null <<'END'
import sqlite3, ssl, sys, venv
sys.exit(not (sys.version_info >= (3, 11) and sqlite3.sqlite_version_info >= (3, 37)))
END
    then
        command -v "$candidate"
        exit 0
    fi
done
cat >&2 <<'END'
error: no suitable Python: expected 3.11 or later with venv, ssl and SQLite 3.37 or later.
Install one, or name one: make PYTHON=/path/to/python3 demo
END
exit 1
