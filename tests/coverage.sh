#!/bin/sh
# How much of aci/ the unit tests and the kept fuzz seeds reach: builds them with gcc's --coverage, runs them,
# and prints gcovr's tables of aci/, base/ and store/. Ends with 1 when a test fails or when less than 90 %
# of the lines of aci/ are reached.
#
# usage: tests/coverage.sh [--min PERCENT] [--details DIR] [--jobs N]
#   --min PERCENT   what is asked of aci/; default 90
#   --details DIR   also write gcovr's HTML pages, a page a file, to DIR/index.html
#   --jobs N        compile N files at a time; default: one a processor
#
# Needs gcovr and a source tree after ./autogen.sh. Builds and runs in a folder of its own below
# $RKT_BUILD_DIR, or /dev/shm where that has room, or /var/tmp; nothing is written to the source tree.
# The tables of base/ and store/ are for information: their tests are more than what runs here, and tests of
# the runner, of stage1 and of the programs are left out.
set -eu
usage() { sed -n '1d;/^#/!q;s/^# \{0,1\}//p' "$0"; }
min=90 details='' jobs=$(nproc)
while [ $# -gt 0 ]; do
	case $1 in
	--min | --details | --jobs)
		[ $# -ge 2 ] || { echo "coverage.sh: $1 wants a value" >&2; exit 2; }
		case $1 in
		--min) min=$2 ;;
		--details) details=$(realpath "$2") ;;
		--jobs) jobs=$2 ;;
		esac
		shift 2
		;;
	-h | --help) usage; exit 0 ;;
	*) echo "coverage.sh: unknown argument '$1'; try --help" >&2; exit 2 ;;
	esac
done
top=$(cd "$(dirname "$0")/.." && pwd)
command -v gcovr >/dev/null || { echo "coverage.sh: gcovr is missing: packaging/install-debian test" >&2; exit 2; }
[ -x "$top/configure" ] || { echo "coverage.sh: run ./autogen.sh first" >&2; exit 2; }

room=/var/tmp
shm_kib=$(df --output=avail /dev/shm 2>/dev/null | tail -n 1)
[ "${shm_kib:-0}" -lt 1000000 ] || room=/dev/shm
build=$(mktemp -d "${RKT_BUILD_DIR:-$room}/rocket-coverage.XXXXXX")
TMPDIR=$(mktemp -d /var/tmp/rocket-coverage-tmp.XXXXXX)
export TMPDIR
unset RKT_RACE_ROUNDS # races reach no other lines
chmod 711 "$TMPDIR" # the tests of ordinary users reach through it
trap 'rm -rf "$build" "$TMPDIR"' EXIT
trap 'exit 130' INT TERM

# tests of the runner and of stage1
others='pod_state volumes users environment proc'

cd "$build"
# -O0: every line stands for itself. Without _FORTIFY_SOURCE, which needs optimisation. Counting is atomic
# because streams run in threads.
"$top/configure" --quiet CC=gcc CFLAGS='-g -O0 --coverage -fprofile-update=atomic -U_FORTIFY_SOURCE' \
	>configure.out 2>&1 || { cat configure.out; exit 1; }
tests=$(make -s print-unit-tests)
for other in $others; do
	tests=$(echo "$tests" | sed "s,tests/unit/test_$other,,")
done
# shellcheck disable=SC2086
make -s -j"$jobs" $tests fuzz-targets >make.out 2>&1 || { cat make.out; exit 1; }

top_srcdir=$top top_builddir=$build CMOCKA_MESSAGE_OUTPUT=TAP
export top_srcdir top_builddir CMOCKA_MESSAGE_OUTPUT
# run COMMAND...: a failure is shown, and ends it all: what a broken test reaches says nothing
run() {
	if ! "$@" >test.out 2>&1 || grep -q -e '^not ok' -e '^Bail out' test.out; then
		cat test.out
		echo "coverage.sh: this failed: $*" >&2
		exit 1
	fi
}
for test in $tests; do
	run sh "$top/tests/unit/tap.sh" "$test"
done
run sh "$top/tests/fuzz/corpus.sh"

# what configure tried: gcov would look for its sources, and leave files where it is called
find . -name '*conftest*' -delete

# table FOLDER ARGUMENT...: gcovr's table. Files are named as in the source tree.
table() {
	folder=$1
	shift
	gcovr --root "$top" --object-directory "$build" --filter "$top/$folder/" --exclude-unreachable-branches \
		"$@" "$build"
}
for folder in base store; do
	table $folder
done
if [ -n "$details" ]; then
	mkdir -p "$details"
	table aci --html-details "$details/index.html"
fi
table aci --print-summary --fail-under-line "$min" || {
	echo "coverage.sh: less than $min % of the lines of aci/ are reached" >&2
	exit 1
}
