#!/bin/sh
# Copies what the fuzzer of the walker starts from to DIRECTORY: the small archives of tests/corpus/
# and the inputs kept in tests/fuzz/corpus/tar/.
set -eu
[ $# -eq 1 ] || { echo "usage: make-seeds.sh DIRECTORY" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
python3 -B "$here/../corpus/make-corpus.py" "$1"
rm "$1/EXPECTED"
find "$1" -type f -size +32 -exec rm {} +
find "$here/corpus/tar" -type f -exec cp {} "$1" \;
