#!/bin/sh
# What a store costs as it grows: importing, looking up, listing and gc with 1 000, 10 000 and 100 000 tiny
# images (of ten versions each), then a million records without files. In memory, so that disks do not
# matter; the last column says how many times the first store's cost it is.
#
# usage: tests/bench/scale.sh [IMAGES...]
set -eu
cd "$(dirname "$0")/../.."
build=$(realpath "${top_builddir:-.}")
scale=$build/tests/bench/store-scale store=$build/rkt-store
[ -x "$scale" ] || { echo "scale.sh: $scale is not built: make tests/bench/store-scale" >&2; exit 1; }
command -v /usr/bin/time >/dev/null || { echo "scale.sh: needs the package time" >&2; exit 1; }
sizes=${*:-1000 10000 100000}
records=1000000 more=1000
work=$(mktemp -d "${BENCH_TMP:-/dev/shm}/rkt-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# line WHAT VALUE UNIT: prints it with its ratio to the first value of that name
line() {
    key=$work/first-$(echo "$1" | tr -c 'a-z0-9\n' -)
    [ -e "$key" ] || echo "$2" >"$key"
    awk -v what="$1" -v value="$2" -v unit="$3" -v first="$(cat "$key")" \
        'BEGIN { printf "  %-44s %12.1f %-5s %8.2f\n", what, value, unit, value / (first > 0 ? first : 1) }'
}

# whole WHAT COMMAND...: wall time, processor time and memory of a process, the least of three
whole() {
    what=$1
    shift
    for _ in 1 2 3; do
        /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$@" >/dev/null
        tail -n 1 "$work/time"
    done | sort -n | head -n 1 >"$work/best"
    read -r wall user sys memory <"$work/best"
    line "$what, wall" "$(awk -v s="$wall" 'BEGIN { print s * 1000 }')" ms
    line "$what, processor" "$(awk -v u="$user" -v s="$sys" 'BEGIN { print (u + s) * 1000 }')" ms
    line "$what, memory" "$memory" kB
}

look() { # DIR IMAGES
    "$scale" look "$1" 0 "$2" >"$work/looked"
    while read -r what cpu _; do
        line "look up by $what, processor" "$cpu" us
    done <"$work/looked"
    whole 'rkt-store info NAME:VERSION' "$store" info -d "$1" "example.com/app-$(($2 / 20)):1.0.5"
    line 'index on disk, bytes an image' "$(($(stat -c '%b * %B' "$1/cas/index/data.mdb") / $2))" B
}

have=0
for size in $sizes; do
    echo "$size images"
    "$scale" fill "$work/store" "$have" "$size"
    before=$(date +%s%N)
    "$scale" fill "$work/store" "$size" "$((size + more))"
    line 'import, each' "$((($(date +%s%N) - before) / more / 1000))" us
    have=$((size + more))
    look "$work/store" "$have"
    whole 'rkt-store list of one name' "$store" list -d "$work/store" "example.com/app-$((size / 20))"
    whole 'rkt-store list of all' "$store" list -d "$work/store"
    whole 'rkt-store gc --dry-run' "$store" gc --dry-run --grace-period=0s -d "$work/store"
done
rm -rf "$work/store"
echo "$records records without files"
before=$(date +%s%N)
"$scale" records "$work/store" 0 "$records"
line 'record, each' "$((($(date +%s%N) - before) / records))" ns
look "$work/store" "$records"
