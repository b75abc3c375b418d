#!/bin/sh
# A 2 MB image of Debian's busybox-static whose app says where it runs.
# usage: make-busybox.sh OUT.aci     (aci-build must be in PATH)
set -eu
out=$1
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/rootfs
"$here/debian-root.sh" "$root" busybox-static
rm -rf "${root:?}/usr"
for applet in $("$root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
done
mkdir -p "$root/etc" "$root/tmp" "$root/root"
chmod 1777 "$root/tmp"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
# shellcheck disable=SC2016  # the pod's shell expands it, not ours
aci-build --name example.com/busybox --label version=1.35.0 --label os=linux --label arch=amd64 \
    --exec /bin/sh --exec -c --exec 'echo "hello from $AC_APP_NAME, process $$ of $(ls -d /proc/[0-9]* | wc -l)"; exit 7' \
    --root-owned --from-dir "$root" --overwrite "$out"
