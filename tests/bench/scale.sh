#!/bin/sh
# What a store costs as it grows: importing, looking up, listing and gc with 1 000, 10 000 and 100 000 tiny
# images (of ten versions each), then a million records without files. In memory, so that disks do not
# matter; the last column says how many times the first store's cost it is.
#
# usage: tests/bench/scale.sh [IMAGES...]
set -eu
cd "$(dirname "$0")/../.."
build=$(realpath "${top_builddir:-.}")
scale=$build/tests/bench/store-scale cost=$build/tests/bench/cost store=$build/rkt-store
for program in "$scale" "$cost" "$store"; do
    [ -x "$program" ] || { echo "scale.sh: $program is not built: make and make tests/bench/cost" >&2; exit 1; }
done
sizes=${*:-1000 10000 100000}
records=1000000 more=1000 rounds=20
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

# whole WHAT COMMAND...: wall time, processor time and memory of a process, the least of some rounds
whole() {
    what=$1
    shift
    read -r wall cpu memory <<EOF
$("$cost" "$rounds" "$@")
EOF
    line "$what, wall" "$wall" us
    line "$what, processor" "$cpu" us
    line "$what, memory" "$memory" kB
}

look() { # DIR IMAGES
    "$scale" look "$1" 0 "$2" >"$work/looked"
    while read -r what cpu _; do
        line "look up by $what, processor" "$cpu" us
    done <"$work/looked"
    whole 'rkt-store info NAME:VERSION' "$store" info -d "$1" "$(printf example.com/app-%06d $(($2 / 20))):1.0.5"
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
    whole 'rkt-store list of 100 images' "$store" list -d "$work/store" example.com/app-00009
    whole 'rkt-store list of one name' "$store" list -d "$work/store" "$(printf example.com/app-%06d $((size / 20)))"
    rounds=3
    whole 'rkt-store list of all' "$store" list -d "$work/store"
    whole 'rkt-store gc --dry-run' "$store" gc --dry-run --grace-period=0s -d "$work/store"
    line 'gc --dry-run, processor, an image' "$(awk -v us="$cpu" -v n="$have" 'BEGIN { print us / n }')" us
    rounds=20
done
rm -rf "$work/store"
echo "$records records without files"
before=$(date +%s%N)
"$scale" records "$work/store" 0 "$records"
line 'record, each' "$((($(date +%s%N) - before) / records))" ns
look "$work/store" "$records"
