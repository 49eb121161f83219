#!/bin/sh
# Make the virtual environment $1 and install the lock files $2… into it, hashes checked.
# A lock named …-source.txt is built from source, with what the locks before it installed.
# A Python without ensurepip (Debian keeps it in python3-venv) is helped by a pip found beside it.
set -eu
environment=$1
shift
here=$(dirname "$0")

if ! [ -x "$environment/bin/python" ] || ! "$environment/bin/python" -c '' 2>/dev/null; then
    python=$("$here/find-python.sh")
    echo "$environment: $("$python" --version) at $python"
    rm -rf "$environment"
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv "$environment"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --without-pip "$environment"
    else
        echo "error: $python can make no environment: it has neither ensurepip nor pip." >&2
        echo "On Debian or Ubuntu, install python3-venv." >&2
        exit 1
    fi
fi

if "$environment/bin/python" -m pip --version >/dev/null 2>&1; then
    pip="$environment/bin/python -m pip"
else
    pip="$("$here/find-python.sh") -m pip --python $environment/bin/python"
fi
for lock in "$@"; do
    # The locks are complete, so nothing is resolved, and nothing unlocked takes part in a build.
    case $lock in
    *-source.txt) form="--no-binary :all: --no-build-isolation" ;;
    *) form="--only-binary :all:" ;;
    esac
    # shellcheck disable=SC2086
    $pip --disable-pip-version-check install --quiet --require-hashes $form --no-deps -r "$lock"
done
