#!/bin/sh
# A durable import of an image of 150 MB and 8 000 entries (gzip) against `tar -xzf` followed by `sync -f`,
# and against `ostree commit --tree=tar=`, in turn, each on a freshly made ext4 on a loop device: medians
# and their ratios. Then the same file once more. Needs root. Usage: tests/bench/import.sh [ROUNDS]
set -eu

rounds=${1:-7}
store=$(realpath "${top_builddir:-.}/rkt-store")
timing=$(dirname "$0")/timing.sh
. "$timing"
[ -x "$store" ] || { echo "import.sh: $store is not built: say where with top_builddir" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "import.sh: needs root, for a file system of its own" >&2; exit 1; }
if [ -z "${BENCH_INSIDE:-}" ]; then # mounts that nobody else sees
    BENCH_INSIDE=1 exec unshare -m --propagation private "$0" "$@"
fi

work=$(mktemp -d "${BENCH_TMP:-/tmp}/rkt-bench.XXXXXX")
disk=$work/disk
cleanup() {
    umount "$disk" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
mkdir -p "$disk" "$work/image/rootfs"

# ---- the image: files of 6 to 600 kB from all over /usr, always the same ones, and their folders,
# until there are 150 MB or 8 000 entries

cat >"$work/image/manifest" <<'JSON'
{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/bench"}
JSON
find /usr -xdev -type f -readable -size +6k -size -600k ! -name '*[\\]*' -printf '%s %p\n' 2>/dev/null |
    LC_ALL=C sort -k 2 | awk 'BEGIN { srand(1) } { print rand(), $0 }' | LC_ALL=C sort -n |
    awk '{ size = $2; sub(/^[^ ]+ [^ ]+ /, ""); path = $0; sum += size
        while (sub(/\/[^\/]+$/, "") && $0 != "" && !seen[$0]++) print
        if (!seen[path]++) print path
        if (length(seen) > 8000 || sum > 150e6) exit }' |
    LC_ALL=C sort >"$work/files"
tar -C "$work/image" --no-recursion -cf "$work/bench.tar" manifest rootfs
tar --no-recursion --hard-dereference --transform='s,^/*,rootfs/,' -P -cf "$work/body.tar" -T "$work/files"
tar -A -f "$work/bench.tar" "$work/body.tar"
gzip -6 <"$work/bench.tar" >"$work/bench.aci"
rm "$work/body.tar"
aci=$work/bench.aci
echo "image: $(stat -c %s "$aci" | numfmt --to=iec) gzip, $(stat -c %s "$work/bench.tar" | numfmt --to=iec) tar," \
    "$(wc -l <"$work/files") entries; ext4 on a loop device"
rm "$work/bench.tar"

# ---- A B A B

fresh_disk() {
    umount "$disk" 2>/dev/null || true
    rm -f "$work/disk.img"
    truncate -s 2G "$work/disk.img"
    mkfs.ext4 -q -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$work/disk.img"
    mount -o loop "$work/disk.img" "$disk"
    cat "$aci" >/dev/null
    sync
}
contenders='import tar'
command -v ostree >/dev/null && contenders="$contenders ostree" || echo "ostree is not installed: left out"
round=0
# shellcheck disable=SC2016 # $1, $2 and $3 are those of the inner shell
while [ "$round" -lt "$rounds" ]; do
    for name in $contenders; do
        fresh_disk
        case $name in
        import)
            measure import '"$1" import -d "$3/rkt" "$2"' "$store" "$aci" "$disk"
            measure again '"$1" import -d "$3/rkt" "$2"' "$store" "$aci" "$disk"
            ;;
        tar) measure tar 'mkdir "$2/tree"; tar -C "$2/tree" -xpzf "$1"; sync -f "$2/tree"' "$aci" "$disk" ;;
        ostree)
            ostree init --repo="$disk/repo" --mode=bare
            measure ostree 'ostree commit --repo="$2/repo" --branch=bench --tar-autocreate-parents --tree=tar="$1"' \
                "$aci" "$disk"
            ;;
        esac
    done
    round=$((round + 1))
done

say() { # name, what
    printf '%-32s %8s s wall %8s s CPU' "$2" "$(median "$1")" "$(median_cpu "$1")"
    [ "$1" = import ] || printf '  %6s times the import' "$(ratio "$1" import)"
    echo
}
say import 'rkt-store import'
say again 'rkt-store import, again'
say tar 'tar -xzf; sync -f'
[ ! -e "$work/ostree" ] || say ostree 'ostree commit --tree=tar='
echo "medians of $rounds"
