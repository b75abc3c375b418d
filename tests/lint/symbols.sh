#!/bin/sh
# What the libraries export is frozen in symbols/: a symbol that goes, or comes unnoticed, is a finding. And
# a program of somebody else compiles, links and runs with nothing but the installed headers.
. "${top_srcdir:-.}/tests/lint/tap.sh"
here=$(cd "$top_srcdir" && pwd)
cd "$top_builddir" || exit 1

if nm -D .libs/librkt-store.so 2>/dev/null | grep -q __asan; then
    skip "exported symbols" "a sanitized library is another one"
    plan
fi
for library in librkt-aci librkt-store; do
    exported=$(nm -D --defined-only ".libs/$library.so" | awk '$2 != "A" { print $3 }' | LC_ALL=C sort)
    bad=$(printf '%s\n' "$exported" | diff "$here/tests/lint/symbols/$library" - || true)
    verdict "$library exports what symbols/$library says" "$bad"
done

declared=$(sed -nE '/^RKT_PUBLIC/{:more;/\(/!{N;bmore};s/.*[ *](rkt_[a-z0-9_]+)\(.*/\1/p}' "$here"/include/rkt/*.h | LC_ALL=C sort)
bad=$(printf '%s\n' "$declared" | sed 's/$/@@RKT_STORE_0/' | diff - "$here/tests/lint/symbols/librkt-store" || true)
verdict "librkt-store exports every function the headers promise and no other" "$bad"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/other.c" <<'C'
#include <stdio.h>
#include <rkt/store.h>

int main(int argc, char **argv)
{
	rkt_error *err = NULL;
	rkt_store *store = rkt_store_open(argv[argc - 1], RKT_STORE_READ, &err);

	if (!store)
		printf("%d %s\n", rkt_error_kind(err), rkt_error_message(err));
	rkt_store_close(store);
	rkt_error_free(err);
	return 0;
}
C
for language in c c++; do
    compiler=cc
    [ "$language" = c ] || compiler=c++
    if ! command -v "$compiler" >/dev/null; then
        skip "a $language program of somebody else" "no $compiler"
        continue
    fi
    bad=$("$compiler" -x "$language" -Wall -Wextra -Werror -I "$here/include" -o "$work/other" "$work/other.c" \
        -L .libs -lrkt-store 2>&1 || true)
    [ -n "$bad" ] || bad=$(LD_LIBRARY_PATH=.libs "$work/other" "$work/none" 2>&1 | grep -v "^3 there is no store at $work/none$" || true)
    verdict "a $language program of somebody else opens a store" "$bad"
done
plan
