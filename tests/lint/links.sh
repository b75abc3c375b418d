#!/bin/sh
# What the built programs load: the tools know nothing of the store's libraries, stage1 nothing at all, and what takes
# long to load is where it is needed only.
. "${top_srcdir:-.}/tests/lint/tap.sh"
cd "$top_builddir" || exit 1

for program in aci-hash aci-validate aci-extract aci-build; do
    bad=$(ldd "./$program" | grep -E 'lmdb|curl|gpgme|seccomp' || true)
    verdict "$program links base, aci and cli only" "$bad"
done

# only LIBRARY PROGRAM...: these load it, and no other of ours does
only() {
    library=$1
    shift
    bad=$(for program in $programs; do
        ldd "./$program" | grep -q "$library" && loads=yes || loads=no
        case " $* " in *" $program "*) wanted=yes ;; *) wanted=no ;; esac
        [ "$loads" = "$wanted" ] || echo "$program: $loads"
    done)
    verdict "$library is loaded by $* only" "$bad"
}
only libarchive aci-build rkt-store-export
only libcurl rkt-store-fetch rkt-fetch-key

# by the program itself; libraries bring these along
loaded=$(sed -n 's/^#define [A-Z0-9]*_SONAME "\(.*\)"$/\1/p' config.h)
bad=$(for program in $programs; do
    for library in $loaded; do
        readelf -d "./$program" | grep -F "[$library]" | sed "s/^.*\[/$program: /"
    done
done | grep -v '^rkt-store-fetch: libcrypto')
verdict "what can be loaded when it is needed is not linked ($(echo "$loaded" | wc -w) libraries)" "$bad"
for program in rkt-store-fetch rkt-fetch-key; do
    bad=$(ldd "./$program" | grep -E 'libxml|libicu' || true)
    verdict "$program, which has secrets, does not parse HTML" "$bad"
done

for program in rkt stage1/native/stage1-native; do
    if ldd ./aci-hash | grep -q libasan; then
        skip "$program is static" "a sanitized build is dynamic"
    else
        bad=$(ldd "./$program" 2>&1 | grep -vE 'statically linked|not a dynamic executable' || true)
        verdict "$program is static" "$bad"
    fi
done
plan
