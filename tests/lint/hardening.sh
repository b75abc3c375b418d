#!/bin/sh
# S-080: the flags we ask for are in the ELF files, not only in the makefile.
. "${top_srcdir:-.}/tests/lint/tap.sh"
cd "$top_builddir" || exit 1

if ldd ./aci-hash | grep -q libasan; then
    skip "hardening" "a sanitized build has the sanitizers instead"
    plan
fi
for program in $programs stage1/native/stage1-native; do
    header=$(readelf -hW "./$program")
    segments=$(readelf -lW "./$program")
    dynamic=$(readelf -dW "./$program")
    symbols=$(readelf -sW "./$program")
    bad=
    echo "$header" | grep -q 'Type:.*DYN' || bad="$bad not position independent;"
    echo "$segments" | grep -q GNU_RELRO || bad="$bad no RELRO;"
    echo "$segments" | grep 'GNU_STACK' | grep -q 'RWE' && bad="$bad executable stack;"
    echo "$dynamic" | grep -qE 'BIND_NOW|NOW' || bad="$bad lazy binding;"
    echo "$symbols" | grep -q '__stack_chk_fail' || bad="$bad no stack protector;"
    verdict "$program is PIE, RELRO, bound at start, with stack protector" "$bad"
done
for program in rkt-store rkt-run aci-build aci-extract; do
    bad=
    readelf -sW "./$program" | grep -qE '__[a-z]+_chk' || bad="no _chk function is called"
    verdict "$program is fortified" "$bad"
done
if [ "$(uname -m)" = x86_64 ]; then
    bad=
    objdump -d --no-show-raw-insn ./rkt-store | grep -q 'endbr64' || bad="no endbr64"
    verdict "rkt-store has control-flow protection" "$bad"
fi
plan
