#!/bin/sh
# How the sources look: formatted, spelled, and within the sizes HACKING.md asks for.
. "${top_srcdir:-.}/tests/lint/tap.sh"
cd "$top_srcdir" || exit 1

c_files=$(sources '*.c' '*.h')
scripts=$(sources '*.sh' autogen.sh quickstart run-tests packaging/install-debian .ci/run |
    while read -r file; do head -n 1 "$file" | grep -q '^#!.*sh' && echo "$file"; done | sort -u)
python_files=$(sources '*.py')

if command -v clang-format-14 >/dev/null; then
    # shellcheck disable=SC2086
    verdict "C is formatted by clang-format 14" \
        "$(clang-format-14 --dry-run $c_files 2>&1 | grep -E 'warning|error' | head -n 20)"
else
    skip "C is formatted by clang-format 14" "clang-format-14 is not installed"
fi
if command -v shellcheck >/dev/null; then
    # shellcheck disable=SC2086
    verdict "shellcheck finds nothing in the scripts" "$(shellcheck -x -e SC1090,SC1091 $scripts 2>&1 | head -n 40)"
else
    skip "shellcheck finds nothing in the scripts" "shellcheck is not installed"
fi
if command -v codespell >/dev/null; then
    verdict "codespell finds nothing" "$(sources '*.c' '*.h' '*.md' '*.sh' '*.py' '*.mk' '*.am' '*.ac' |
        xargs codespell -L 'aci,inh,lsit,acis,fo,crate,parth,fpr,ans,inout,ro,te' 2>&1 | head -n 20)"
else
    skip "codespell finds nothing" "codespell is not installed"
fi
for file in $python_files; do
    python3 -B -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$file" 2>&1
done >"${TMPDIR:-/tmp}/rkt-lint.$$"
verdict "python files parse" "$(cat "${TMPDIR:-/tmp}/rkt-lint.$$")"
rm -f "${TMPDIR:-/tmp}/rkt-lint.$$"

# shellcheck disable=SC2086
verdict "no C file beyond 700 lines" "$(wc -l $c_files | awk '$2 != "total" && $1 > 700')"
# texts for people stay on one line, to be found by grep
# shellcheck disable=SC2086
verdict "no line of C beyond 100 columns but for texts" "$(for file in $c_files; do
    expand "$file" | LC_ALL=C.UTF-8 sed -nE "/\"/!{/^.{101}/s,^,$file: ,p}"
done | head -n 20)"
verdict "headers say #pragma once" "$(sources '*.h' | xargs grep -L '#pragma once')"
# shellcheck disable=SC2086
verdict "nothing says of itself that it is unfinished" \
    "$(grep -nE '\<(TODO|FIXME|XXX)\>' $c_files $python_files | head)"
verdict "every folder with code has a README of at most 20 lines" "$(for folder in aci aci-tools base cli config \
    runner store store/fetch store/index store/trust stage1 stage1/common stage1/native tests tests/bench tests/cli tests/corpus tests/fault \
    tests/fuzz tests/images tests/lint tests/unit; do
    if [ ! -f "$folder/README.md" ]; then echo "$folder/README.md is missing"
    elif [ "$(wc -l <"$folder/README.md")" -gt 20 ]; then echo "$folder/README.md is longer than 20 lines"; fi
done)"
plan
