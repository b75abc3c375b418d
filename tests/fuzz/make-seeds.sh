#!/bin/sh
# Copies what the target fuzz_NAME starts from to DIRECTORY: small files of tests/corpus/ of its kind,
# and the inputs kept in tests/fuzz/corpus/NAME/.
set -eu
[ $# -eq 2 ] || { echo "usage: make-seeds.sh NAME DIRECTORY" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
case $1 in
source | gzip | tar)
	python3 -B "$here/../corpus/make-corpus.py" "$2"
	rm "$2/EXPECTED"
	find "$2" -type f -size +32 -exec rm {} +
	[ "$1" != gzip ] || find "$2" -type f ! -name '*-gzip-*' ! -name 'ok-gzip.aci' -exec rm {} +
	;;
json | image_manifest | pod_manifest)
	cp "$here"/../corpus/manifests/*.json "$2"
	;;
esac
[ ! -d "$here/corpus/$1" ] || find "$here/corpus/$1" -type f -exec cp {} "$2" \;
