# shellcheck shell=sh disable=SC2154
# Sourced by the benches: an image of a size. Wants $top, a directory of the bench.

# image MEGABYTES: $top/image, a tar of files from /usr until it is that large
image() {
    mkdir -p "$top/layout"
    echo '{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/bench"}' >"$top/layout/manifest"
    tar -C "$top/layout" -cf "$top/image" manifest
    : >"$top/files"
    copy=0
    while :; do
        find /usr -xdev -type f -readable -size -20M ! -name '*[\\]*' -printf '%s %p\n' 2>/dev/null | LC_ALL=C sort -k 2 |
            awk -v limit="$(($1 * 1000000))" -v have="$(stat -c %s "$top/image")" '{ size = $1
                sub(/^[0-9]+ /, ""); have += 512 + int((size + 511) / 512) * 512
                if (have > limit) { if (NR > 50) exit; have -= size; next }
                print }' >"$top/files"
        [ -s "$top/files" ] || break
        tar --no-recursion --hard-dereference --transform="s,^/*,rootfs/copy-$copy/," -P -cf "$top/more" \
            -T "$top/files" 2>/dev/null || true
        tar -A -f "$top/image" "$top/more"
        rm "$top/more"
        copy=$((copy + 1))
        [ "$(stat -c %s "$top/image")" -lt "$(($1 * 950000))" ] || break
    done
}
