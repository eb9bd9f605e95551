#!/usr/bin/env bash
# Checks of the source that need no run of it: one line each, and what is wrong below it.
#
#     tools/check.sh [format] [tidy] [layers] [headers] [exports] [modules]        all of them by default
#     tools/check.sh --fix format                                        rewrite the files
set -uo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}

# Tracked files, and new ones that git does not ignore.
sources() { git ls-files --cached --others --exclude-standard --deduplicate -- "$@" | while read -r file; do
    [ -e "$file" ] && echo "$file"
done; }

# The pinned version where it is there: others see other things.
tool() {
    local name
    for name in "$1-19" "$1"; do
        command -v "$name" && return
    done
    echo "$1 is missing; type: tools/setup.sh check" >&2
    return 1
}

format() {
    local clang_format
    clang_format=$(tool clang-format) || return
    if [ "$fix" ]; then
        sources '*.c' '*.h' '*.cpp' | xargs "$clang_format" -i
    else
        sources '*.c' '*.h' '*.cpp' | xargs "$clang_format" --dry-run -Werror || {
            echo "type: make format"
            return 1
        }
    fi
}

tidy() {
    local clang_tidy
    clang_tidy=$(tool clang-tidy) || return
    sources 'src/*.c' 'hdf5/*.c' 'sqlite/*.c' 'examples/*.c' |
        xargs -n 1 -P "$(nproc)" "$clang_tidy" -p "$build" --quiet
}

layers() { tools/check_layers.py; }
headers() { tools/check_headers.py; }
exports() {
    local library status=0
    for library in "$build"/src/libwithin.so "$build"/*/libwithin-*.so "$build"/src/runs/libwithin-runs.so; do
        [ ! -e "$library" ] || tools/check_exports.py "$library" || status=1
    done
    return $status
}
modules() { tools/check_modules.py "$build/site/within"; }

fix=
if [ "${1:-}" = --fix ]; then
    fix=yes
    shift
fi
[ $# -gt 0 ] || set -- format tidy layers headers exports modules

failed=0
for check in "$@"; do
    case $check in
    format | tidy | layers | headers | exports | modules) ;;
    *)
        echo "tools/check.sh: no check '$check'; there are format, tidy, layers, headers, exports and modules" >&2
        exit 2
        ;;
    esac
    if output=$($check 2>&1); then
        printf '%-8s ok\n' "$check"
    else
        printf '%-8s FAILED\n%s\n' "$check" "$output"
        failed=1
    fi
done
exit $failed
