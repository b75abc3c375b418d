# Sourced by the lint scripts: functions that speak TAP, and what there is to look at.
# shellcheck shell=sh
# shellcheck disable=SC2034
programs="rkt rkt-store rkt-read-page rkt-run rkt-pod aci-hash aci-validate
    aci-extract aci-build aci-verify-signature"
count=0
failed=0
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}

# ok NAME; not_ok NAME WHAT-IS-WRONG
ok() {
    count=$((count + 1))
    echo "ok $count - $1"
}
not_ok() {
    count=$((count + 1))
    failed=1
    printf '%s\n' "$2" | sed 's/^/# /'
    echo "not ok $count - $1"
}
# verdict NAME TEXT: ok when TEXT is empty, else TEXT says what is wrong
verdict() {
    if [ -z "$2" ]; then ok "$1"; else not_ok "$1" "$2"; fi
}
skip() {
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}
plan() {
    echo "1..$count"
    exit $failed
}
# sources PATTERN...: the project's own files of these names, whether or not git is here; build-aux holds
# what autogen.sh brought
sources() {
    (cd "$top_srcdir" && if [ -e .git ]; then git ls-files --cached --others --exclude-standard -- "$@"; else
        for pattern in "$@"; do
            find . \( -path ./build -o -path ./build-aux \) -prune -o -name "${pattern##*/}" -type f -print
        done | sed 's,^\./,,'
    fi)
}
