#!/bin/sh
# Every promise about hostile input, signatures and the web that the table doc/security-tests.md makes is named by a
# test, and the table tells the truth about which.
. "${top_srcdir:-.}/tests/lint/tap.sh"
cd "$top_srcdir" || exit 1
table=doc/security-tests.md
numbers=$(seq -f %03.0f 1 15; seq -f %03.0f 20 25; seq -f %03.0f 29 30)

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
    files=$(printf '%s\n' "$shown" | grep -oE 'tests/[a-z_/-]+\.(c|h|py|sh)')
    [ -n "$files" ] || echo "$table: S-$number has no file"
    for file in $files; do
        [ -f "$file" ] || echo "$table: S-$number: $file is not there"
        names "$number" "$file" | grep -q . || echo "$table: S-$number: $file does not name it"
    done
done)
verdict "the table of promises names tests that name them" "$bad"
bad=$(for number in $numbers; do grep -q "^| S-$number |" "$table" || echo "S-$number is missing"; done)
verdict "the table of promises is whole" "$bad"
plan
