#!/bin/sh
# aci-hash, aci-validate and aci-extract against what people use today, for images of 2, 200 and 1300 MB,
# compressed by gzip, xz (blocks, as `xz -T0` writes them), zstd, and not at all: medians and their ratios,
# everything in turn on tmpfs; extraction also on ext4 if root. And the limit: how long the same libraries
# take for decompression alone and for the digest alone (igzip is isa-l's own program, openssl dgst
# libcrypto's). Last, the memory of an image with four million entries.
#
# usage: tests/bench/aci-tools.sh [-n ROUNDS] [MEGABYTES...]
set -eu
cd "$(dirname "$0")/../.."
. tests/bench/timing.sh
. tests/bench/image.sh

rounds=5
if [ "${1:-}" = -n ]; then
    rounds=$2
    shift 2
fi
sizes=${*:-2 200 1300}
bin=$(realpath "${top_builddir:-.}")
[ -x "$bin/aci-hash" ] || { echo "aci-tools.sh: $bin/aci-hash is not built: say where with top_builddir" >&2; exit 1; }
PATH=$bin:$PATH
for program in igzip openssl xz zstd bsdtar; do
    command -v "$program" >/dev/null ||
        { echo "aci-tools.sh: $program is missing: packaging/install-debian bench" >&2; exit 1; }
done
if [ "$(id -u)" = 0 ] && [ -z "${BENCH_INSIDE:-}" ]; then # mounts that nobody else sees
    # shellcheck disable=SC2086
    BENCH_INSIDE=1 exec unshare -m --propagation private "$0" -n "$rounds" $sizes
fi
top=$(mktemp -d "${BENCH_TMP:-/dev/shm}/rkt-bench.XXXXXX")
cleanup() {
    umount "$top/ext4" 2>/dev/null || true
    rm -rf "$top"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# row WHAT OURS PEER: one line of the table
row() {
    printf '%-46s %8s s %8s s   peer/ours %5s\n' "$1" "$(median "$2")" "$(median "$3")" "$(ratio "$3" "$2")"
}

# shellcheck disable=SC2016 # $1 and $2 are those of the inner shell
tables() {
    work=$top/times-$1
    mkdir "$work"
    image "$1"
    gzip -6 <"$top/image" >"$top/image.gz"
    xz -T0 -1 --block-size=8MiB <"$top/image" >"$top/image.xz"
    zstd -q -3 -T0 <"$top/image" >"$top/image.zst"
    entries=$(tar -tf "$top/image" | wc -l)
    echo
    echo "image of $(stat -c %s "$top/image" | numfmt --to=si)B, $entries entries; gzip" \
        "$(stat -c %s "$top/image.gz" | numfmt --to=si)B; medians of $rounds"
    [ "$(aci-hash "$top/image.gz" | cut -c 1-64)" = "$(sha256sum "$top/image" | cut -c 1-64)" ] ||
        { echo "aci-tools.sh: digests differ" >&2; exit 1; }
    for _ in $(seq "$rounds"); do
        measure hash-gz 'aci-hash "$1"' "$top/image.gz"
        measure sum-gz 'gzip -dc "$1" | sha256sum' "$top/image.gz"
        measure hash-xz 'aci-hash "$1"' "$top/image.xz"
        measure sum-xz 'xz -dc "$1" | sha256sum' "$top/image.xz"
        measure hash-zst 'aci-hash "$1"' "$top/image.zst"
        measure sum-zst 'zstd -qdc "$1" | sha256sum' "$top/image.zst"
        measure hash-plain 'aci-hash "$1"' "$top/image"
        measure sum-plain 'cat "$1" | sha256sum' "$top/image"
        measure limit-gz 'igzip -dc "$1"' "$top/image.gz"
        measure limit-sum 'openssl dgst -sha256 "$1"' "$top/image"
        measure limit-both 'igzip -dc "$1" & openssl dgst -sha256 "$2"; wait' "$top/image.gz" "$top/image"
        measure validate 'aci-validate "$1"' "$top/image.gz"
        for place in tmpfs ext4; do
            [ "$place" = tmpfs ] || [ -d "$top/ext4" ] || continue
            for peer in ours tar bsdtar plain; do
                rm -rf "$top/$place/out"
                mkdir -p "$top/$place"
                case $peer in
                ours) measure "$place-ours" 'aci-extract -q "$1" "$2"' "$top/image.gz" "$top/$place/out" ;;
                tar) measure "$place-tar" 'mkdir "$2"; tar -xzf "$1" -C "$2"' "$top/image.gz" "$top/$place/out" ;;
                bsdtar) measure "$place-bsdtar" 'mkdir "$2"; bsdtar -xpf "$1" -C "$2"' "$top/image.gz" "$top/$place/out" ;;
                plain) measure "$place-plain" 'mkdir "$2"; tar -xf "$1" -C "$2"' "$top/image" "$top/$place/out" ;;
                esac
            done
            rm -rf "$top/$place/out"
        done
    done
    row 'aci-hash, gzip | gzip -dc | sha256sum' hash-gz sum-gz
    row 'aci-hash, xz | xz -dc | sha256sum' hash-xz sum-xz
    row 'aci-hash, zstd | zstd -dc | sha256sum' hash-zst sum-zst
    row 'aci-hash, plain | cat | sha256sum' hash-plain sum-plain
    row 'limit: gzip | decompression alone (igzip)' hash-gz limit-gz
    row 'limit: gzip | digest alone (openssl)' hash-gz limit-sum
    row 'limit: gzip | both at once' hash-gz limit-both
    row 'aci-validate | aci-hash' validate hash-gz
    for place in tmpfs ext4; do
        [ -e "$work/$place-ours" ] || continue
        row "aci-extract, $place | tar -xzf" "$place-ours" "$place-tar"
        row "aci-extract, $place | bsdtar -xf" "$place-ours" "$place-bsdtar"
        row "aci-extract, $place | tar -xf of the plain tar" "$place-ours" "$place-plain"
    done
    for kind in gz xz zst; do
        printf '%-46s %8s kB\n' "memory of aci-hash, $kind" "$(peak aci-hash "$top/image.$kind")"
    done
}

# peak COMMAND...: its peak memory, in kB
peak() { /usr/bin/time -f %M "$@" 2>&1 >/dev/null | tail -n 1; }

if [ "$(id -u)" = 0 ]; then
    mkdir "$top/ext4"
    truncate -s 6G "$top/ext4.img"
    mkfs.ext4 -q -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$top/ext4.img"
    mount -o loop "$top/ext4.img" "$top/ext4"
fi
echo "ours | peer                                        ours       peer"
for size in $sizes; do
    tables "$size"
done
rm -f "$top"/image*
tests/bench/many-entries.py 3999000 >"$top/image"
echo
echo "image of four million entries, 2 GB: aci-hash $(peak aci-hash "$top/image") kB," \
    "aci-validate $(peak aci-validate "$top/image") kB; --raw $(peak aci-hash --raw "$top/image") kB"
