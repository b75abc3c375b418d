#!/bin/sh
# What the built programs load: the tools know nothing of the store's libraries, stage1 nothing at all, and what takes
# long to load is where it is needed only.
. "${top_srcdir:-.}/tests/lint/tap.sh"
cd "$top_builddir" || exit 1

for program in aci-hash aci-validate aci-extract aci-build; do
    bad=$(ldd "./$program" | grep -E 'lmdb|curl|gpgme|seccomp' || true)
    verdict "$program links base, aci and cli only" "$bad"
done

# by the program itself; libraries bring these along
loaded=$(sed -n 's/^#define [A-Z0-9]*_SONAME "\(.*\)"$/\1/p' config.h)
bad=$(for program in $programs; do
    for library in $loaded; do
        readelf -d "./$program" | grep -F "[$library]" | sed "s/^.*\[/$program: /"
    done
done)
verdict "what can be loaded when it is needed is not linked ($(echo "$loaded" | wc -w) libraries)" "$bad"
bad=$(for program in $programs; do
    [ "$program" = rkt-read-page ] || ldd "./$program" | grep -E 'libxml|libicu' | sed "s/^/$program: /"
done)
verdict "what has secrets does not parse HTML: rkt-read-page does" "$bad"

for program in rkt stage1/native/stage1-native; do
    if ldd ./aci-hash | grep -q libasan; then
        skip "$program is static" "a sanitized build is dynamic"
    else
        bad=$(ldd "./$program" 2>&1 | grep -vE 'statically linked|not a dynamic executable' || true)
        verdict "$program is static" "$bad"
    fi
done
plan
