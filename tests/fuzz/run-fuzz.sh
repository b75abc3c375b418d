#!/bin/sh
# Fuzzes every target, or those named, for $RKT_FUZZ_SEC seconds each (30 when not said), as many at once as
# there are processors, and prints TAP. Needs a build made by ./configure --enable-fuzzing CC=clang && make
# fuzz-targets; $top_builddir says where (default: here). An input that breaks something is left in the build
# directory, and is to be kept in tests/fuzz/corpus/ when fixed.
#
# usage: run-fuzz.sh [NAME...]
#
# A single input may take a minute, which only a busy machine needs: libFuzzer counts the time of the clock.
# With $RKT_FUZZ_NEW=DIRECTORY the inputs that found new code are left in DIRECTORY/NAME/.
set -eu
seconds=${RKT_FUZZ_SEC:-30}
here=$(cd "$(dirname "$0")" && pwd)
build=${top_builddir:-.}/tests/fuzz

# fuzz NAME SEEDS NEW
fuzz() {
	case $1 in
	tar | source) len=16384 ;;
	json | *_manifest | gzip | auth | page) len=4096 ;;
	*) len=1024 ;;
	esac
	timeout $((seconds + 120)) "$build/fuzz_$1" -max_total_time="$seconds" -max_len=$len -timeout=60 \
		-rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$build/$1-" "$3" "$2" </dev/null
}

# one NAME: fuzzes, and prints what came of it in one piece
one() {
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	new=${RKT_FUZZ_NEW:-$tmp/new}/$1
	mkdir -p "$new"
	"$here/make-seeds.sh" "$1" "$tmp/seeds"
	if fuzz "$1" "$tmp/seeds" "$new" >"$tmp/log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$tmp/log")
		echo "ok - fuzz_$1: no finding in $seconds s ($runs runs)"
	else
		sed 's/^/# /' "$tmp/log" | tail -n 60 >"$tmp/told"
		echo "not ok - fuzz_$1: the log above says what was found, and where the input is" >>"$tmp/told"
		cat "$tmp/told"
		return 1
	fi
}

if [ "${1-}" = --one ]; then
	one "$2"
	exit
fi
if ! "$build/fuzz_tar" -help=1 2>&1 | grep -q max_total_time; then
	echo "1..0 # SKIP not built with ./configure --enable-fuzzing CC=clang"
	exit 0
fi
[ $# -gt 0 ] || set -- "$here"/fuzz_*.c
echo "1..$#"
for name in "$@"; do
	name=$(basename "$name" .c)
	echo "${name#fuzz_}"
done | xargs -P "$(nproc)" -I NAME "$here/run-fuzz.sh" --one NAME
