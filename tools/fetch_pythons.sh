#!/usr/bin/env bash
# Fetches CPython interpreters that this machine's release lacks, debug builds too, from Debian's archive into
# build/pythons/, where tools/pythons.py finds them. Nothing is installed: each suite's packages are unpacked
# into a folder of their own, with the C library that they need.
#
#     tools/fetch_pythons.sh            all; a suite that is there already is left as it is
#
# The status is 1 if something could not be had; nothing else depends on it.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "${BUILD:-build}/pythons"
folder=$(cd "${BUILD:-build}/pythons" && pwd)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# What Python and its standard library run with; more that the packages depend on is left out.
libraries='c6|gcc-s1|crypt1|expat1|ssl3\w*|zstd1|bz2-1\.0|ffi[0-9]+|lzma5|tinfo6|ncursesw6|readline8\w*'
libraries+='|sqlite3-0|uuid1|db5\.3\w*|nsl2|tirpc3\w*|mpdec3\w*'
wanted="^(lib)?python3|^lib($libraries)\$|^zlib1g\$"

say() { echo "tools/fetch_pythons.sh: $*" >&2; }

# The archive that this system takes its own packages from.
archive() {
    local site
    site=$(apt-get indextargets --format '$(SITE)' 'Label: Debian' 'Created-By: Packages' 2>/dev/null | head -n 1)
    echo "${site:-http://deb.debian.org/debian}"
}

# private SUITE: apt's options for a state of its own below the suite's folder
private() {
    local apt=$folder/$1/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/none"
    : >"$apt/status"
    printf '%s\n' 'Types: deb' "URIs: $(archive)" "Suites: $1" 'Components: main' "Signed-By: $keyring" \
        >"$apt/debian.sources"
    options=(-qq -o "Dir::Etc::SourceList=$apt/debian.sources" -o "Dir::Etc::SourceParts=$apt/none"
        -o "Dir::State=$apt" -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache"
        -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=60
        -o APT::Install-Recommends=false -o APT::Sandbox::User=)
}

# names PACKAGE...: those and what they depend on, as far as it is wanted
names() {
    apt-get "${options[@]}" --simulate install "$@" | awk '$1 == "Inst" { print $2 }' | grep -E "$wanted" | sort
}

# Without what only debuggers and readers of documentation use.
unpack() { # PACKAGES-FOLDER ROOT
    local package
    for package in "$1"/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$2" --no-same-owner \
            --exclude='*.a' --exclude=./usr/lib/debug --exclude=./usr/share || return
    done
}

programs() { ls "$1"/usr/bin/python3.* | grep -v -- -config; } # ROOT

# The programs start with the unpacked C library, and look for all others beside it.
make_runnable() { # ROOT
    local loader program folders
    loader=$(find "$1" -name 'ld-linux*.so.*' -type f | head -n 1)
    folders=$(find "$1"/lib "$1"/usr/lib -maxdepth 1 -name '*-linux-gnu*' -type d 2>/dev/null | paste -sd:)
    for program in $(programs "$1"); do
        [ -L "$program" ] ||
            patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$folders" "$program" || return
    done
}

# Debian's pyconfig.h includes <TRIPLET/python3.X/pyconfig.h>, which lies beside the folder that compilers are given.
link_headers() { # ROOT
    local headers triplet
    for triplet in "$1"/usr/include/*-linux-gnu*; do
        for headers in "$1"/usr/include/python3.*; do
            ln -sfn "../${triplet##*/}" "$headers/${triplet##*/}"
        done
    done
}

# As the package's script does where it is installed: else each start compiles what it imports, and takes twice as long.
compile_library() { # PROGRAM
    local library
    library=$("$1" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))') &&
        "$1" -m compileall -q -j 0 -x '/(test|tests|idlelib|lib2to3|tkinter)/' "$library"
}

runs() { "$1" -c 'import bz2, ctypes, lzma, sqlite3, ssl, zlib'; }

# fetch SUITE PACKAGE...
fetch() {
    local suite=$1 root=$folder/$1/root debs=$folder/$1/debs
    shift
    # The unpacked programs hold the path of their folder.
    [ "$(cat "$folder/$suite/done" 2>/dev/null)" != "$root $*" ] || return 0
    say "fetching $* from Debian's $suite"
    rm -rf "${folder:?}/$suite"
    mkdir -p "$root" "$debs"
    private "$suite"
    apt-get "${options[@]}" update || return
    local list
    list=$(names "$@") || return
    # shellcheck disable=SC2086 # a list of words
    (cd "$debs" && apt-get "${options[@]}" download $list) || return
    unpack "$debs" "$root" && make_runnable "$root" && link_headers "$root" || return
    local program
    for program in $(programs "$root"); do
        runs "$program" && compile_library "$program" || return
    done
    rm -rf "$debs" "${folder:?}/$suite/apt"
    echo "$root $*" >"$folder/$suite/done"
}

# with_rest VERSION...: the packages of those interpreters, their headers and their tests
with_rest() {
    local version
    for version in "$@"; do
        echo "python$version libpython${version%-dbg}-testsuite libpython${version%-dbg}-dev"
    done
}

# The debug build of this machine's own release has a C library that is never newer than the compiler's.
own_release() {
    # shellcheck disable=SC1091 # the system's
    . /etc/os-release
    [ "${ID:-}" != debian ] || echo "${VERSION_CODENAME:-}"
}

own_debug() {
    { apt-cache depends python3-dbg 2>/dev/null || true; } | sed -n 's/^ *Depends: python\(3\.[0-9]*-dbg\)$/\1/p' | head -n 1
}

for tool in apt-get dpkg-deb patchelf; do
    command -v "$tool" >/dev/null || { say "$tool is missing: going on without more interpreters" && exit 1; }
done
[ -e "$keyring" ] || { say "$keyring is missing: going on without more interpreters" && exit 1; }

status=0
try() { # errexit does not reach into conditions, so fetch returns by hand
    # shellcheck disable=SC2046 # a list of words
    fetch "$1" $(with_rest "${@:2}") || { say "$1: could not be had; going on without" && status=1; }
}
try sid 3.14 3.14-dbg 3.15
release=$(own_release) debug=$(own_debug)
[ -z "$release" ] || [ -z "$debug" ] || try "$release" "$debug"
exit $status
