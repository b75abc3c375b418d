#!/bin/sh
# What make dist takes along: who has only the tarball builds, tests and reads what is in git.
. "${top_srcdir:-.}/tests/lint/tap.sh"
name="all that is in git is in the tarball, but for what only git reads"

# asks the Makefile for a variable, one word a line; make may speak of itself, too
variable() {
    # shellcheck disable=SC2016 # for make
    printf 'show:\n\t@:$(foreach word,$(%s),$(info word=$(word)))\n' "$1" |
        (cd "$top_builddir" && env -u MAKEFLAGS -u MFLAGS make -s -f Makefile -f - show) | sed -n 's/^word=//p'
}
# lines of the second file that neither the first one has, nor any folder they lie in
missing() {
    awk 'NR == FNR { has[$0]; next }
        { for (part = $0; !(part in has); ) if (!sub("/[^/]*$", "", part)) { print; next } }' "$1" "$2"
}

if [ ! -e "$top_srcdir/.git" ] && [ -e "$top_srcdir/config.status" ]; then
    skip "$name" "neither git nor a build beside the sources says which files are ours"
else
    scratch=$(mktemp -d)
    variable DISTFILES | sed "s,^$(variable srcdir)/,," >"$scratch/taken"
    sources '*' | grep -vE '^(\.gitignore|\.ci/.*|autom4te\.cache/.*|.*~)$' >"$scratch/ours"
    verdict "$name" "$(missing "$scratch/taken" "$scratch/ours")"
    rm -r "$scratch"
fi
plan
