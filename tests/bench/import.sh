#!/bin/sh
# A durable import of an image of 150 MB and 8 000 entries (gzip) against `gzip -dc` alone, `tar -xzf`
# followed by `sync -f`, `ostree commit --tree=tar=`, `umoci unpack` and `skopeo copy` to dir: of the same layer,
# in turn, each on a freshly made ext4 on a loop device: medians and their ratios. skopeo twice: with
# --dest-decompress it keeps the layer as we do, uncompressed; without it copies the file and does not look into
# it. Then the same file once more. Needs root.
#
# usage: tests/bench/import.sh [ROUNDS]
set -eu

rounds=${1:-7}
store=$(realpath "${top_builddir:-.}/rkt-store")
timing=$(dirname "$0")/timing.sh
. "$timing"
cost=$(realpath "${top_builddir:-.}/tests/bench/cost")
[ -x "$cost" ] || { echo "import.sh: $cost is not built: make tests/bench/cost" >&2; exit 1; }
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

# ---- the same layer as an OCI layout, for umoci and skopeo

# blob FILE: puts it into the layout and prints what its descriptor says of it
blob() {
    digest=$(sha256sum "$1" | cut -d ' ' -f 1)
    ln -f "$1" "$work/oci/blobs/sha256/$digest"
    printf '"digest": "sha256:%s", "size": %s' "$digest" "$(stat -c %s "$1")"
}
mkdir -p "$work/oci/blobs/sha256"
oci=application/vnd.oci.image
layer=$(blob "$aci")
cat >"$work/config.json" <<JSON
{"architecture": "amd64", "os": "linux", "config": {},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$(sha256sum "$work/bench.tar" | cut -d ' ' -f 1)"]}}
JSON
cat >"$work/manifest.json" <<JSON
{"schemaVersion": 2, "mediaType": "$oci.manifest.v1+json",
 "config": {"mediaType": "$oci.config.v1+json", $(blob "$work/config.json")},
 "layers": [{"mediaType": "$oci.layer.v1.tar+gzip", $layer}]}
JSON
cat >"$work/oci/index.json" <<JSON
{"schemaVersion": 2, "manifests": [{"mediaType": "$oci.manifest.v1+json", $(blob "$work/manifest.json"),
 "annotations": {"org.opencontainers.image.ref.name": "bench"}}]}
JSON
echo '{"imageLayoutVersion": "1.0.0"}' >"$work/oci/oci-layout"
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
contenders='import gzip tar'
for peer in ostree umoci skopeo; do
    if command -v $peer >/dev/null; then contenders="$contenders $peer"; else echo "$peer is not installed: left out"; fi
done
round=0
# shellcheck disable=SC2016 # $1, $2 and $3 are those of the inner shell
while [ "$round" -lt "$rounds" ]; do
    for name in $contenders; do
        fresh_disk
        case $name in
        import)
            measure import '"$1" import -d "$3/rkt" "$2"' "$store" "$aci" "$disk"
            measure_short again "$store" import -d "$disk/rkt" "$aci"
            ;;
        gzip) measure gzip 'gzip -dc "$1"' "$aci" ;;
        tar) measure tar 'mkdir "$2/tree"; tar -C "$2/tree" -xpzf "$1"; sync -f "$2/tree"' "$aci" "$disk" ;;
        ostree)
            ostree init --repo="$disk/repo" --mode=bare
            measure ostree 'ostree commit --repo="$2/repo" --branch=bench --tar-autocreate-parents --tree=tar="$1"' \
                "$aci" "$disk"
            ;;
        umoci) measure umoci 'umoci unpack --image "$1:bench" "$2/bundle"' "$work/oci" "$disk" ;;
        skopeo)
            copy='skopeo --insecure-policy copy -q $3 "oci:$1:bench" "dir:$2/dir"'
            measure skopeo "$copy" "$work/oci" "$disk" --dest-decompress
            fresh_disk
            measure skopeo_file "$copy" "$work/oci" "$disk" ''
            ;;
        esac
    done
    round=$((round + 1))
done

say() { # name, what
    printf '%-32s %8s s wall %8s s CPU' "$2" "$(median "$1")" "$(median_cpu "$1")"
    case $1 in
    import) ;;
    again) printf '  %6s times as fast' "$(ratio import again)" ;;
    *) printf '  %6s times the import' "$(ratio "$1" import)" ;;
    esac
    echo
}
say import 'rkt-store import'
say again 'rkt-store import, again'
say gzip 'gzip -dc'
say tar 'tar -xzf; sync -f'
[ ! -e "$work/ostree" ] || say ostree 'ostree commit --tree=tar='
[ ! -e "$work/umoci" ] || say umoci 'umoci unpack'
[ ! -e "$work/skopeo" ] || say skopeo 'skopeo copy dir:, decompressed'
[ ! -e "$work/skopeo_file" ] || say skopeo_file 'skopeo copy dir:, the file'
echo "medians of $rounds"
