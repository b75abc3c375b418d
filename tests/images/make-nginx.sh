#!/bin/sh
# An image of Debian's nginx with the libraries it needs: a root made from packages.
# usage: make-nginx.sh OUT.aci     (aci-build must be in PATH)
set -eu
out=$1
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/rootfs
"$here/debian-root.sh" "$root" base-files libc6 libcrypt1 libgcc-s1 libpcre2-8-0 libssl3 zlib1g \
    nginx nginx-common
mkdir -p "$root/etc/nginx" "$root/var/lib/nginx" "$root/var/log/nginx" "$root/run" "$root/srv/www"
printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/srv/www:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\nwww-data:x:33:\n' >"$root/etc/group"
echo '<h1>Rocket is serving this from its own pod.</h1>' >"$root/srv/www/index.html"
cat >"$root/etc/nginx/nginx.conf" <<'CONF'
user www-data;
worker_processes 1;
error_log stderr warn;
pid /run/nginx.pid;
events { worker_connections 64; }
http {
    access_log off;
    server { listen 80; root /srv/www; default_type text/html; }
}
CONF
aci-build --name example.com/nginx --label version=1.22.1 --label os=linux --label arch=amd64 \
    --exec /usr/sbin/nginx --exec -g --exec 'daemon off;' --port http:80/tcp \
    --root-owned --from-dir "$root" --overwrite "$out"
