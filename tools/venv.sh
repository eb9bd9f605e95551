#!/usr/bin/env bash
# Keeps a virtual environment in build/venv: the example's packages, and this project as pip installs it.
#
#     tools/venv.sh [PACKAGE]...            numpy, scikit-learn and what is named
#
# PYTHON is the interpreter that makes it (python3).
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

missing_packages() {
    "$venv/bin/python" - numpy scikit-learn "$@" <<'PYTHON'
import importlib.metadata, sys
have = {distribution.metadata["Name"].lower() for distribution in importlib.metadata.distributions()}
print(*[name for name in sys.argv[1:] if name not in have])
PYTHON
}

# A folder is newer, too, when a file in it was deleted or renamed.
is_current() {
    [ -e "$installed" ] &&
        [ -z "$(find pyproject.toml meson.build meson_options.txt include src sqlite python -newer "$installed" -print -quit)" ]
}

is_made || step "making $venv" "${PYTHON:-python3}" -m venv "$venv"
missing=$(missing_packages "$@")
# shellcheck disable=SC2086 # a list of words
[ -z "$missing" ] || step "installing $missing into it" pip $missing
if ! is_current; then
    touch "$venv/within-begun" # what changes from here on is newer
    step 'installing this project into it' pip --force-reinstall --no-deps .
    mv "$venv/within-begun" "$installed"
fi
