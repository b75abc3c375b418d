#!/bin/sh
# `make check`: the fuzz target over its seeds, built by any compiler. TAP.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"${top_srcdir:-.}/tests/fuzz/make-seeds.sh" "$tmp/seeds"
timeout 300 "${top_builddir:-.}/tests/fuzz/fuzz_tar_alone" "$tmp/seeds"
