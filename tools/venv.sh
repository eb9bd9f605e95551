#!/usr/bin/env bash
# Keeps a virtual environment in build/venv: the example's packages, and this project as pip installs it.
#
#     tools/venv.sh            PYTHON is the interpreter that makes it (python3)
#
# What is there already stays; the project is installed again when a file of it has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${BUILD:-build}/venv
installed=$venv/within-installed
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# step MESSAGE COMMAND...: says what it does; what the command says is shown if it fails
step() {
    echo "within: $1" >&2
    shift
    "$@" >"$log" 2>&1 && return
    cat "$log" >&2
    echo "tools/venv.sh: $*: failed" >&2
    exit 1
}

pip() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
# A virtual environment that was interrupted lacks pip; one whose Python has gone is a dangling link.
is_made() { [ -x "$venv/bin/python" ] && [ -x "$venv/bin/pip" ]; }

has_packages() {
    "$venv/bin/python" -c 'import importlib.util as u, sys; sys.exit(not (u.find_spec("numpy") and u.find_spec("sklearn")))'
}

# A folder is newer, too, when a file in it was deleted or renamed.
is_current() {
    [ -e "$installed" ] &&
        [ -z "$(find pyproject.toml meson.build meson_options.txt include src python -newer "$installed" -print -quit)" ]
}

is_made || step "making $venv" "${PYTHON:-python3}" -m venv "$venv"
has_packages || step 'installing numpy and scikit-learn into it' pip numpy scikit-learn
if ! is_current; then
    touch "$venv/within-begun" # what changes from here on is newer
    step 'installing this project into it' pip --force-reinstall --no-deps .
    mv "$venv/within-begun" "$installed"
fi
