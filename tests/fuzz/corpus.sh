#!/bin/sh
# `make check`: every fuzz target over its seeds, built by any compiler (S-015); and what the index
# writer makes of its seeds, seen by fsck.erofs. TAP.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${top_builddir:-.}/tests/fuzz
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
number=0 failed=0

# verdict WORDS STATUS
verdict() {
	number=$((number + 1))
	if [ "$2" = 0 ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		failed=1
	fi
}

mkdir "$tmp/kept"
for source in "$here"/fuzz_*.c; do
	name=$(basename "$source" .c)
	"$here/make-seeds.sh" "${name#fuzz_}" "$tmp/$name"
	status=0
	RKT_FUZZ_KEEP="$tmp/kept" timeout 300 "$build/$name" "$tmp/$name" >"$tmp/log" 2>&1 || status=$?
	sed 's/^/# /' "$tmp/log"
	verdict "$name takes its seeds" $status
done

# Every index against fsck.erofs, over a tar of zeros as long as the index says.
check_indexes() {
	for index in "$tmp/kept"/*.index; do
		truncate -s "$(($(cat "${index%.index}.blocks") * 512))" "$tmp/tar" 2>"$tmp/log" || continue
		if ! fsck.erofs --device="$tmp/tar" "$index" >"$tmp/log" 2>&1; then
			sed 's/^/# /' "$tmp/log"
			echo "# $index"
			return 1
		fi
	done
}
what="fsck.erofs finds no fault in the indexes made of the seeds"
# 1.5 of Debian 12 does not know devices
version=$(fsck.erofs -V 2>/dev/null | sed -n '1s/^[^0-9]*\([0-9]*\.[0-9]*\).*/\1/p')
case ${version:-none} in
none)
	number=$((number + 1))
	echo "ok $number - $what # SKIP no fsck.erofs"
	;;
1.[0-7])
	number=$((number + 1))
	echo "ok $number - $what # SKIP fsck.erofs $version is older than 1.8"
	;;
*)
	status=0
	check_indexes || status=1
	verdict "$what" $status
	;;
esac
echo "1..$number"
exit $failed
