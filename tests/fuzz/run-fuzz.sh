#!/bin/sh
# Fuzzes every target for SECONDS each (60 when not said) and prints TAP. Needs a build made by
# ./configure --enable-fuzzing CC=clang; $top_builddir says where (default: here). An input that
# breaks something is left in the build directory, and is to be kept in tests/fuzz/corpus/ when fixed.
set -eu
seconds=${1:-60}
source_dir=$(cd "$(dirname "$0")" && pwd)
build_dir=${top_builddir:-.}/tests/fuzz
target=$build_dir/fuzz_tar

if [ ! -x "$target" ]; then
	echo "1..0 # SKIP not built with ./configure --enable-fuzzing CC=clang"
	exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$source_dir/make-seeds.sh" "$tmp/seeds"
mkdir "$tmp/new"

echo "1..1"
if timeout $((seconds + 60)) "$target" -max_total_time="$seconds" -max_len=16384 -timeout=10 \
	-rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$build_dir/" \
	"$tmp/new" "$tmp/seeds" >"$tmp/log" 2>&1 </dev/null; then
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$tmp/log")
	echo "ok 1 - fuzz_tar: no finding in $seconds s ($runs runs)"
else
	sed 's/^/# /' "$tmp/log" | tail -n 60
	echo "not ok 1 - fuzz_tar: the log above says what was found, and where the input is"
	exit 1
fi
