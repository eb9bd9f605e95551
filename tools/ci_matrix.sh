#!/usr/bin/env bash
# The C tests once more: under sanitizers and valgrind, with other compilers and optimisations; the Python
# package under sanitizers; and the reader's fuzzer. Every stage builds in a folder of its own below build/ci.
#
#     tools/ci_matrix.sh [STAGE...]        all stages by default; tools/ci_matrix.sh --list names them
#
# FUZZ_SECONDS: how long to fuzz (60).
set -uo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
stages='asan asan-python tsan valgrind gcc-O0 gcc-O1 gcc-O2 gcc-O3 clang-O0 clang-O1 clang-O2 clang-O3 gcc-lto clang-lto fuzz'

# configure FOLDER OPTION...: a fresh build folder, whatever the last run has left
configure() {
    local folder=$1
    shift
    rm -rf "$folder"
    meson setup "$folder" -Dwerror=true "$@" >"$folder.log" 2>&1 || { cat "$folder.log" && return 1; }
}

# c_tests FOLDER OPTION...: build and run the C tests
c_tests() {
    local folder=$1
    shift
    meson test -C "$folder" --print-errorlogs "$@"
}

use_gcc() { export CC=gcc CXX=g++; }
use_clang() { export CC=clang-19 CXX=clang++-19; }

asan() {
    use_clang
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    configure "$1" -Dtests=enabled -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 \
        -Dc_args=-fno-sanitize-recover=all &&
        c_tests "$1" --timeout-multiplier 4
}

# The Python package in interpreters that know nothing of sanitizers: gcc's can be loaded before them.
# The oldest and the newest, which enter a block in different ways. Python frees little when it ends, so
# leaks are for the debug builds to count; and what is freed is kept for a while, so that memory grows.
asan_python() {
    local folder=$1 pythons status log
    log=$(realpath -m "$folder")/sanitizer
    use_gcc
    pythons=$(tools/pythons.py --list | awk '$1 !~ /d$/ { print $3 }' | sed -n '1p;$p' | sort -u | paste -sd,)
    configure "$folder" -Dtests=disabled -Dpython="$pythons" -Db_sanitize=address,undefined -Db_lundef=false \
        -Doptimization=1 -Dc_args=-fno-sanitize-recover=all &&
        ninja -C "$folder" --quiet &&
        DESTDIR='' meson install -C "$folder" --tags python --quiet --no-rebuild || return
    tools/run_python.py -C "$folder" --env PYTHONMALLOC=malloc \
        --env LD_PRELOAD="$(gcc -print-file-name=libasan.so)" \
        --env PYTEST_ADDOPTS='-k "not grow_memory"' \
        --env ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:log_path=$log" \
        --env UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:log_path=$log"
    status=$?
    # The tests' output ends with the process; the logs do not.
    [ "$status" = 0 ] || cat "$log".* 2>/dev/null
    return "$status"
}

tsan() {
    use_clang
    export TSAN_OPTIONS=halt_on_error=1
    configure "$1" -Dtests=enabled -Db_sanitize=thread -Db_lundef=false -Doptimization=1 &&
        c_tests "$1" --timeout-multiplier 4
}

valgrind() {
    use_gcc
    configure "$1" -Dtests=enabled -Doptimization=1 &&
        c_tests "$1" --no-suite not-in-valgrind --timeout-multiplier 20 --wrap \
            'valgrind -q --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite'
}

optimised() { # FOLDER LEVEL
    configure "$1" -Dtests=enabled -Doptimization="$2" && c_tests "$1"
}

lto() {
    local folder=$1
    shift
    configure "$folder" -Dtests=enabled -Doptimization=2 -Db_lto=true "$@" && c_tests "$folder" --suite block
}

clang_lto() {
    use_clang
    export CC_LD=lld CXX_LD=lld AR=llvm-ar-19
    lto "$1"
}

fuzz() {
    use_clang
    configure "$1" -Dtests=disabled -Dfuzz=enabled && ninja -C "$1" --quiet tests/fuzz/fuzz_reader || return
    mkdir "$1/found"
    # What it finds stays in the build folder; the corpus in the source is read only.
    "$1/tests/fuzz/fuzz_reader" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -verbosity=0 -artifact_prefix="$1/" "$1/found" tests/fuzz/corpus
}

run_stage() {
    local folder=$build/ci/$1
    case $1 in
    asan | tsan | valgrind | fuzz) "$1" "$folder" ;;
    asan-python) asan_python "$folder" ;;
    # gcc 12 takes C++ functions that only raise for ones that never throw: docs/blocks.md, limits.
    gcc-lto) use_gcc && lto "$folder" -Dcpp_args=-fno-ipa-pure-const ;;
    clang-lto) clang_lto "$folder" ;;
    gcc-O*) use_gcc && optimised "$folder" "${1#gcc-O}" ;;
    clang-O*) use_clang && optimised "$folder" "${1#clang-O}" ;;
    esac
}

if [ "${1:-}" = --list ]; then
    echo "$stages"
    exit
fi
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $stages
for stage in "$@"; do
    [[ " $stages " == *" $stage "* ]] || {
        echo "tools/ci_matrix.sh: no stage '$stage'; there are: $stages" >&2
        exit 2
    }
done

tools/setup.sh build test python ci || exit
mkdir -p "$build/ci"
failed=
for stage in "$@"; do
    echo "-- $stage"
    start=$SECONDS
    if (run_stage "$stage"); then
        echo "-- $stage: ok, $((SECONDS - start)) s"
    else
        echo "-- $stage: FAILED, $((SECONDS - start)) s"
        failed+=" $stage"
    fi
done
[ -z "$failed" ] || { echo "failed:$failed" && exit 1; }
