#!/bin/sh
# The root file system of an image of 2 MB and of one of 1.3 GB: the first mount after the import, a later
# one, and `ls` of the same tree extracted; whole processes, medians and ratios, in turn, on a new ext4 of a
# loop device. Needs root and a kernel that mounts indexes (Linux 6.12).
#
# usage: tests/bench/mount.sh [ROUNDS [MEGABYTES...]]
set -eu
cd "$(dirname "$0")/../.."
. tests/bench/timing.sh
. tests/bench/image.sh

rounds=${1:-9}
[ $# = 0 ] || shift
sizes=${*:-2 1300}
bin=$(realpath "${top_builddir:-.}")
[ -x "$bin/rkt-store" ] || { echo "mount.sh: $bin/rkt-store is not built: say where with top_builddir" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "mount.sh: needs root, for mounts" >&2; exit 1; }
if [ -z "${BENCH_INSIDE:-}" ]; then # mounts that nobody else sees
    # shellcheck disable=SC2086
    BENCH_INSIDE=1 exec unshare -m --propagation private "$0" "$rounds" $sizes
fi
top=$(mktemp -d "${BENCH_TMP:-/var/tmp}/rkt-bench.XXXXXX")
cleanup() {
    umount -R "$top/disk" 2>/dev/null || true
    rm -rf "$top"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
mkdir "$top/disk"
truncate -s 8G "$top/disk.img"
mkfs.ext4 -q "$top/disk.img"
mount -o loop "$top/disk.img" "$top/disk"
export RKT_DIR="$top/disk/store"
mkdir "$top/disk/where"

# shellcheck disable=SC2016 # $1, $2 and $3 are those of the inner shell
for size in $sizes; do
    work=$top/times-$size
    mkdir "$work"
    image "$size"
    for _ in $(seq "$rounds"); do
        id=$("$bin/rkt-store" import "$top/image")
        sync -f "$top/disk"
        for which in first later; do
            measure "$which" '"$1" render --form=erofs --mount "$2" "$3"' "$bin/rkt-store" "$top/disk/where" "$id"
            [ "$(ls "$top/disk/where")" ]
            umount "$top/disk/where"
            "$bin/rkt-store" gc >/dev/null 2>&1 # which unmounts what nobody uses
        done
        "$bin/rkt-store" rm "$id" >/dev/null
    done
    id=$("$bin/rkt-store" import "$top/image")
    measure extract '"$1" render "$3" "$2"' "$bin/rkt-store" "$top/disk/tree" "$id"
    for _ in $(seq "$rounds"); do measure ls 'ls "$1"' "$top/disk/tree/rootfs"; done
    echo "$(du -m "$top/image" | cut -f 1) MB, $(tar -tf "$top/image" | wc -l) entries; whole processes, medians of $rounds"
    printf '  %-34s %8s s\n' 'first mount after the import' "$(median first)" 'a later mount' "$(median later)" \
        'ls of the extracted tree' "$(median ls)" 'extracting it (once)' "$(median extract)"
    echo "  first / later: $(ratio first later); first / ls: $(ratio first ls)"
    "$bin/rkt-store" rm "$id" >/dev/null
    rm -rf "$top/disk/tree" "$top/image"
done
