#!/bin/sh
# Fetching an image of 150 MB (gzip) from a local nginx over TLS, with its signature checked and the image
# stored, against `curl -o`, `gpg --verify` and `gzip -dc | sha256sum` one after the other; the same over a
# link of 5 MB a second a connection, against the transfer alone; and what it costs to be told that nothing changed,
# and where nobody is asked. Medians and ratios, in turn.
#
# usage: tests/bench/fetch.sh [ROUNDS [MEGABYTES]]
set -eu
cd "$(dirname "$0")/../.."
. tests/bench/timing.sh
. tests/bench/image.sh

rounds=${1:-5} size=${2:-150}
bin=$(realpath "${top_builddir:-.}")
for program in "$bin/rkt" "$bin/rkt-store" "$bin/tests/bench/cost"; do
    [ -x "$program" ] || { echo "fetch.sh: $program is not built: make and make tests/bench/cost" >&2; exit 1; }
done
for program in nginx curl gpg openssl; do
    command -v "$program" >/dev/null || { echo "fetch.sh: $program is missing" >&2; exit 1; }
done
top=$(mktemp -d "${BENCH_TMP:-/dev/shm}/rkt-bench.XXXXXX")
cleanup() {
    [ ! -e "$top/nginx.pid" ] || kill "$(cat "$top/nginx.pid")" 2>/dev/null || true
    gpgconf --homedir "$top/gpg" --kill all 2>/dev/null || true
    rm -rf "$top"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
work=$top/times
mkdir "$work" "$top/web" "$top/config" "$top/tmp"

# ---- an image, its signature, and who may speak for it

image "$size"
gzip -6 <"$top/image" >"$top/web/a.aci"
rm "$top/image"
mkdir -m 700 "$top/gpg"
gpg() { command gpg --homedir "$top/gpg" --batch --quiet "$@"; }
gpg --passphrase '' --quick-gen-key bench@example.com ed25519 sign 1d
gpg --armor --detach-sign -o "$top/web/a.aci.asc" "$top/web/a.aci"
gpg --armor --export bench@example.com >"$top/key.asc"
export RKT_LOCAL_CONFIG="$top/config" RKT_SYSTEM_CONFIG="$top/none" RKT_DIR="$top/store"
unset RKT_USER_CONFIG
"$bin/rkt-store" trust --yes --prefix=example.com "$top/key.asc" >/dev/null

# ---- the server

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$top/key.pem" -out "$top/cert.pem" 2>/dev/null
port=$((20000 + $$ % 20000))
cat >"$top/nginx.conf" <<CONF
daemon on; pid $top/nginx.pid; error_log $top/error.log; worker_processes 1;
$([ "$(id -u)" != 0 ] || echo 'user root;')
events { }
http {
    access_log off; sendfile on;
    client_body_temp_path $top/tmp; proxy_temp_path $top/tmp; fastcgi_temp_path $top/tmp;
    uwsgi_temp_path $top/tmp; scgi_temp_path $top/tmp;
    server {
        listen 127.0.0.1:$port ssl http2; server_name localhost;
        ssl_certificate $top/cert.pem; ssl_certificate_key $top/key.pem;
        root $top/web;
        location /slow/ { alias $top/web/; limit_rate 5m; }
    }
}
CONF
nginx -c "$top/nginx.conf" -e "$top/error.log"
url=https://localhost:$port

# ---- A B A B

fetch() { # NAME URL [OPTION...]
    name=$1 address=$2
    shift 2
    rm -rf "$top/store"
    measure "$name" '"$@"' "$bin/rkt-store" fetch --cacert "$top/cert.pem" "$@" "$address"
}
# shellcheck disable=SC2016 # $1 and more are those of the inner shell
for _ in $(seq "$rounds"); do
    fetch ours "$url/a.aci"
    measure peer 'curl -s --cacert "$1/cert.pem" -o "$1/b.aci" "$2" && curl -s --cacert "$1/cert.pem" -o "$1/b.asc" "$2.asc" &&
        gpg --homedir "$1/gpg" --batch --quiet --verify "$1/b.asc" "$1/b.aci" 2>/dev/null &&
        gzip -dc "$1/b.aci" | sha256sum' "$top" "$url/a.aci"
done
# shellcheck disable=SC2016
for _ in $(seq $(((rounds + 1) / 2))); do
    fetch ours_slow "$url/slow/a.aci" --connections=1
    fetch ours_many "$url/slow/a.aci"
    measure transfer 'curl -s --cacert "$1/cert.pem" -o "$1/b.aci" "$2"' "$top" "$url/slow/a.aci"
done
rm -rf "$top/store"
id=$("$bin/rkt-store" fetch --cacert "$top/cert.pem" "$url/a.aci")
unchanged() { "$bin/tests/bench/cost" 40 "$bin/$1" fetch --cacert "$top/cert.pem" "$url/a.aci"; }
read -r wall cpu memory <<EOF
$(unchanged rkt)
EOF
read -r store_wall store_cpu _ <<EOF
$(unchanged rkt-store)
EOF
read -r here_wall here_cpu _ <<EOF
$("$bin/tests/bench/cost" 40 "$bin/rkt" fetch "$id")
EOF
# the same question, asked without a store
curl -s --cacert "$top/cert.pem" --etag-save "$top/etag" -o "$top/b.aci" "$url/a.aci"
read -r curl_wall curl_cpu _ <<EOF
$("$bin/tests/bench/cost" 40 curl -s --cacert "$top/cert.pem" --etag-compare "$top/etag" -o "$top/b.aci" "$url/a.aci")
EOF

echo "$(stat -c %s "$top/web/a.aci" | numfmt --to=iec) gzip; medians of $rounds"
printf '%-44s %8s s wall %8s s CPU\n' 'rkt-store fetch' "$(median ours)" "$(median_cpu ours)" \
    'curl, gpg --verify, gzip -dc | sha256sum' "$(median peer)" "$(median_cpu peer)" \
    'rkt-store fetch, 5 MB a second' "$(median ours_slow)" "$(median_cpu ours_slow)" \
    'the same by several connections' "$(median ours_many)" "$(median_cpu ours_many)" \
    'the transfer alone, by curl' "$(median transfer)" "$(median_cpu transfer)"
echo "peer / ours: $(ratio peer ours); ours / transfer at 5 MB a second: $(ratio ours_slow transfer), by several connections $(ratio ours_many transfer)"
echo "unchanged (304), least of 40: rkt fetch $wall us wall, $cpu us CPU, $memory kB; as rkt-store fetch $store_wall us, $store_cpu us;" \
    "curl --etag-compare $curl_wall us, $curl_cpu us; rkt / curl by CPU: $(awk "BEGIN { printf \"%.2f\", $cpu / $curl_cpu }")"
echo "by its ID, least of 40: rkt fetch $here_wall us wall, $here_cpu us CPU"
