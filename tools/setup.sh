#!/usr/bin/env bash
# Finds out what is missing on this machine for a task, and installs it where it may.
#
#     tools/setup.sh build test        tiers: build runs test python numeric mlflow venv bench check ci
#
# Nothing missing: no output, status 0. Not allowed to install: prints the line to type, status 1.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

command_found() { command -v "$1" >/dev/null 2>&1; }

# python_with MODULE...: is there a Python 3 that has them? `python` is one then. tools/run_tests.py looks in
# the same order for what runs the tests.
python_with() {
    for python in python3 /usr/bin/python3; do
        command_found "$python" || continue
        "$python" -c "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))" \
            "$@" 2>/dev/null && return 0
    done
    return 1
}

interpreter_found() { "$root/tools/pythons.py" >/dev/null; }

# What a virtual environment is made with is a package of its own in Debian; what extensions include, too.
has_venv() { python3 -c 'import ensurepip, venv'; }
has_headers() { python3 -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")'; }

# Format and diagnoses differ from version to version.
version_19_of() { command_found "$1-19" || "$1" --version | grep -q 'version 19\.'; }

clang_19_runtime() { compgen -G '/usr/lib/llvm-19/lib/clang/19/lib/*/libclang_rt.fuzzer*' >/dev/null; }

# need PACKAGES CHECK...: the packages are missing if the check fails
need() {
    local packages=$1
    shift
    "$@" 2>/dev/null || missing+=" $packages"
}

find_missing() {
    local tier
    missing=
    for tier in "$@"; do
        case $tier in
        build)
            need 'gcc libc6-dev' command_found "${CC:-cc}"
            need meson command_found meson
            need ninja-build command_found ninja
            need pkgconf command_found pkg-config
            ;;
        runs) need libsqlite3-dev pkg-config --exists sqlite3 ;;
        test)
            need libcmocka-dev pkg-config --exists cmocka
            need libhdf5-dev pkg-config --exists hdf5
            need libsqlite3-dev pkg-config --exists sqlite3
            need libcurl4-openssl-dev pkg-config --exists libcurl
            need libjansson-dev pkg-config --exists jansson
            need libcairo2-dev pkg-config --exists cairo
            need g++ command_found "${CXX:-g++}"
            need 'python3-pytest python3-pytest-xdist' python_with pytest xdist
            ;;
        numeric | mlflow) ;; # are fetched: see install_numeric and install_mlflow
        python)
            need python3-dev interpreter_found
            need python3-pip python_with pip
            need patchelf command_found patchelf
            ;;
        venv)
            need 'gcc libc6-dev' command_found "${CC:-cc}"
            need python3-dev has_headers
            need python3-venv has_venv
            need pkgconf command_found pkg-config
            need libsqlite3-dev pkg-config --exists sqlite3
            ;;
        bench)
            need python3-dev interpreter_found
            need g++ command_found g++
            need clang-19 command_found clang-19
            need libsqlite3-dev pkg-config --exists sqlite3
            ;;
        check)
            need g++ command_found g++
            need libhdf5-dev pkg-config --exists hdf5
            need libsqlite3-dev pkg-config --exists sqlite3
            need libcurl4-openssl-dev pkg-config --exists libcurl
            need libjansson-dev pkg-config --exists jansson
            need libcairo2-dev pkg-config --exists cairo
            need clang-19 command_found clang-19
            need clang-format-19 version_19_of clang-format
            need clang-tidy-19 version_19_of clang-tidy
            ;;
        ci)
            need clang-19 command_found clang-19
            need libclang-rt-19-dev clang_19_runtime
            need lld-19 command_found ld.lld-19
            need llvm-19 command_found llvm-ar-19
            need valgrind command_found valgrind
            ;;
        *)
            echo "tools/setup.sh: no tier '$tier'; there are build, runs, test, python, numeric, mlflow, venv, bench, check and ci" >&2
            exit 2
            ;;
        esac
    done
}

as_root=
may_install() {
    command_found apt-get || return 1
    [ "$(id -u)" = 0 ] && return 0
    as_root='sudo -n'
    command_found sudo && sudo -n true 2>/dev/null
}

install_missing() {
    # shellcheck disable=SC2086 # both are lists of words
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends $missing
}

give_up() {
    echo "within: $1:$missing" >&2
    echo "Type this, then try again:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
    command_found apt-get ||
        echo "These are Debian's names; other systems have the same tools under similar ones." >&2
    exit 1
}

install_packages() {
    find_missing "$@"
    [ -n "$missing" ] || return 0
    may_install || give_up "missing, and this account may not install packages"
    echo "within: installing$missing" >&2
    # Without an up-to-date list the first try fails.
    if ! install_missing >"$log" 2>&1; then
        $as_root apt-get update -qq >>"$log" 2>&1 || true
        install_missing >>"$log" 2>&1 || { cat "$log" >&2; give_up "could not be installed"; }
    fi
    find_missing "$@"
    [ -z "$missing" ] || give_up "installed, but still not found"
}

# fetch_tools FOLDER VERSION PACKAGE...: into a folder for PYTHONPATH, once; the packages run on that Python and later
fetch_tools() {
    local folder=$1 version=$2
    shift 2
    [[ $folder == /* ]] || folder=$root/$folder
    [ "$(cat "$folder/done" 2>/dev/null)" != "$version $*" ] || return 0
    python_with pip
    echo "within: fetching $*" >&2
    rm -rf "$folder"
    local command=("$python" -m pip install --quiet --target "$folder" --python-version "$version" --only-binary :all: "$@")
    "${command[@]}" >"$log" 2>&1 || {
        cat "$log" >&2
        echo "within: $* could not be fetched. With a network, type: ${command[*]}" >&2
        exit 1
    }
    echo "$version $*" >"$folder/done"
}

# What every interpreter tests with: pure Python, so that one folder serves them all; the last three are what
# pytest wants on the older ones only. And mypy, compiled for the one that runs tests/py.
install_python_tools() {
    local build=${BUILD:-build} version
    fetch_tools "$build/python-tools" 3.10 pytest pip meson-python exceptiongroup tomli typing-extensions
    python_with pytest xdist || python_with pytest || return 0
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    fetch_tools "$build/mypy" "$version" mypy
}

# What the package is tested together with, for one interpreter: the oldest that is found here, or python3. Their
# tests are skipped if it cannot be had, without a network.
install_numeric() {
    local folder=${BUILD:-build}/numeric interpreter version
    interpreter=$("$root/tools/pythons.py" --list 2>/dev/null | awk '$1 ~ /^3\.1[0-4]$/ { print $3; exit }')
    : "${interpreter:=$(command -v python3)}"
    version=$("$interpreter" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    [[ $folder == /* ]] || folder=$root/$folder
    (fetch_tools "$folder" "$version" numpy h5py safetensors threadpoolctl) || {
        echo "within: the tests that need them are skipped" >&2
        rm -rf "$folder"
        return 0
    }
    echo "$interpreter" >"$folder/interpreter"
}

# A server that runs are pushed to, for the interpreter that runs tests/py; 0.8 GB, for the long tests alone. They are
# skipped without it.
install_mlflow() {
    local folder=${BUILD:-build}/mlflow version
    python_with pytest xdist || python_with pytest || return 0
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    [[ $folder == /* ]] || folder=$root/$folder
    (fetch_tools "$folder" "$version" mlflow) || {
        echo "within: the tests that need it are skipped" >&2
        rm -rf "$folder"
    }
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
install_packages "$@"
case " $* " in *' python '*) install_python_tools ;; esac
case " $* " in *' numeric '*) install_numeric ;; esac
case " $* " in *' mlflow '*) install_mlflow ;; esac
