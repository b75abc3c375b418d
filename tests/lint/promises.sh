#!/bin/sh
# Every promise that the table doc/security-tests.md makes is named by a test, the table tells the truth about which, and
# no number stands anywhere that is not in it.
. "${top_srcdir:-.}/tests/lint/tap.sh"
cd "$top_srcdir" || exit 1
table=doc/security-tests.md
numbers=$(for range in "1 15" "20 30" "40 47" "60 63" "65 68" "70 72"; do
    # shellcheck disable=SC2086
    seq -f %03.0f $range
done)

# names NUMBER FILE...: those of the files that name the promise S-NUMBER, as a comment or a test's name does
names() {
    number=$1
    shift
    grep -liE "s[-_]$number([^0-9]|\$)" "$@" 2>/dev/null
}
bad=$(for number in $numbers; do
    # shellcheck disable=SC2046
    names "$number" $(sources 'tests/*.c' 'tests/*.h' 'tests/*.py' 'tests/*.sh' | grep -v '^tests/lint/') |
        grep -q . || echo "no test names S-$number"
done)
verdict "every promise has a test that names it" "$bad"

bad=$(sed -n 's/^| S-\([0-9]*\) |.*|\(.*\)|$/\1 \2/p' "$table" | while read -r number shown; do
    files=$(printf '%s\n' "$shown" | grep -oE 'tests/[a-z0-9_/-]+\.(c|h|py|sh)')
    [ -n "$files" ] || echo "$table: S-$number has no file"
    for file in $files; do
        [ -f "$file" ] || echo "$table: S-$number: $file is not there"
        names "$number" "$file" | grep -q . || echo "$table: S-$number: $file does not name it"
    done
done)
verdict "the table of promises names tests that name them" "$bad"
bad=$(for number in $numbers; do grep -q "^| S-$number |" "$table" || echo "S-$number is missing"; done)
verdict "the table of promises is whole" "$bad"

# shellcheck disable=SC2046
bad=$(grep -oHE 'S-0[0-9][0-9]' $(sources '*.c' '*.h' '*.md' '*.py' '*.sh' '*.m4') | sort -u | while IFS=: read -r file number; do
    grep -q "^| $number |" "$table" || echo "$file: $number is not in $table"
done)
verdict "every number of a promise is in the table" "$bad"
plan
