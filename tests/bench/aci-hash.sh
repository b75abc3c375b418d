#!/bin/sh
# aci-hash of a large gzip image against `gzip -dc | sha256sum`, in turn, on tmpfs: medians and their
# ratio. Needs no root. Usage: tests/bench/aci-hash.sh [MEGABYTES] [ROUNDS]
#
# The image is made of files below /usr until it has that many megabytes compressed (200).
set -eu

megabytes=${1:-200}
rounds=${2:-7}
hash=${top_builddir:-.}/aci-hash
[ -x "$hash" ] || { echo "aci-hash.sh: $hash is not built: say where with top_builddir" >&2; exit 1; }

space=${BENCH_TMP:-/dev/shm}
work=$(mktemp -d "$space/rkt-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

# ---- the image: /usr in a fixed order, cut where it is large enough

mkdir "$work/image"
cat >"$work/image/manifest" <<'JSON'
{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/bench"}
JSON
# /usr gives about three bytes of files for one compressed
find /usr -xdev -type f -readable -printf '%s %p\n' 2>/dev/null | LC_ALL=C sort -k 2 |
    awk -v limit=$((megabytes * 3100000)) '
        { size = $1; sub(/^[0-9]+ /, ""); sum += size; if (sum > limit) exit; print }' >"$work/files"
tar -C "$work/image" --no-recursion -cf - manifest >"$work/head.tar"
tar --no-recursion --hard-dereference --transform='s,^/*,rootfs/,' -P -cf - -T "$work/files" 2>/dev/null |
    cat >"$work/body.tar" || true
tar -A -f "$work/head.tar" "$work/body.tar"
rm "$work/body.tar"
gzip -6 <"$work/head.tar" >"$work/bench.aci"
rm "$work/head.tar"
aci=$work/bench.aci
echo "image: $(stat -c %s "$aci" | numfmt --to=iec) gzip, $(gzip -dc "$aci" | wc -c | numfmt --to=iec) tar," \
    "$(wc -l <"$work/files") files, on $space"

# ---- both give the same, or there is nothing to compare

ours=$("$hash" "$aci" | cut -d ' ' -f 1)
theirs=$(gzip -dc "$aci" | sha256sum | cut -d ' ' -f 1)
[ "$ours" = "$theirs" ] || { echo "aci-hash.sh: digests differ" >&2; exit 1; }

# ---- A B A B; wall and CPU seconds of each run

now() { date +%s%N; }

# cpu: what our finished children have used, in ticks, from /proc (fields 16 and 17 of stat)
cpu() { awk '{ sub(/.*\) /, ""); print $14 + $15 }' "/proc/$$/stat"; }

measure() { # name, command
    cpu_before=$(cpu)
    before=$(now)
    sh -c "$2" bench "$aci" >/dev/null
    echo "$(($(now) - before)) $(($(cpu) - cpu_before))" >>"$work/$1"
}

median() { # name, column, divisor
    cut -d ' ' -f "$2" "$work/$1" | sort -n | awk -v by="$3" '{ v[NR] = $1 } END { printf "%.3f", v[int((NR + 1) / 2)] / by }'
}

round=0
while [ "$round" -lt "$rounds" ]; do
    measure ours "exec '$hash' \"\$1\""
    # shellcheck disable=SC2016 # $1 is that of the inner shell
    measure theirs 'gzip -dc "$1" | sha256sum'
    round=$((round + 1))
done
ticks=$(getconf CLK_TCK)
printf '%-24s %8s s wall %8s s CPU\n' aci-hash "$(median ours 1 1e9)" "$(median ours 2 "$ticks")"
printf '%-24s %8s s wall %8s s CPU\n' 'gzip -dc | sha256sum' "$(median theirs 1 1e9)" "$(median theirs 2 "$ticks")"
awk -v a="$(median theirs 1 1e9)" -v b="$(median ours 1 1e9)" -v n="$rounds" \
    'BEGIN { printf "%.2f times faster (medians of %d)\n", a / b, n }'
