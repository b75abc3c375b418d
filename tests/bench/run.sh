#!/bin/sh
# Start to exit of /bin/true: rkt-run of an image imported before, against crun on an unpacked bundle, in
# turn; then the first start after an import against the second. Medians and ratios; nothing passes or
# fails. Needs root. Usage: tests/bench/run.sh [ROUNDS]
#
# Everything happens in a mount namespace of its own on a new ext4 of a loop device: the root file
# systems of virtual machines are too erratic, and an EROFS index must lie on a disk file system. crun
# refuses v1 control groups with a v2 tree beside them, so that tree is not mounted in here.
set -eu

if [ "${RKT_BENCH_INSIDE:-}" != 1 ]; then
    RKT_BENCH_INSIDE=1 exec unshare -m --propagation private "$0" "$@"
fi

rounds=${1:-15}
build=$(cd "${top_builddir:-.}" && pwd)
for program in "$build/rkt-run" "$build/rkt-pod" "$build/rkt-store" "$build/aci-build"; do
    [ -x "$program" ] || { echo "run.sh: $program is not built: say where with top_builddir" >&2; exit 1; }
done
busybox=$(command -v busybox) || { echo "run.sh: busybox-static is not installed" >&2; exit 1; }

work=$(mktemp -d /var/tmp/rkt-bench.XXXXXX)
clean_up() {
    cd /
    umount -R "$work/disk" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
truncate -s 512M "$work/image"
mkfs.ext4 -q "$work/image"
mkdir "$work/disk"
mount -o loop "$work/image" "$work/disk"
cd "$work/disk"
[ ! -d /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified 2>/dev/null || true

# ---- one root, twice: as an image and as a bundle

mkdir -p bundle/rootfs/bin
cp "$busybox" bundle/rootfs/bin/busybox
ln -s busybox bundle/rootfs/bin/true
"$build/aci-build" --name example.com/bench --exec /bin/true --root-owned --from-dir bundle/rootfs \
    bench.aci >/dev/null
export RKT_DIR="$work/disk/data"
id=$("$build/rkt-store" import bench.aci)

crun=
if command -v crun >/dev/null && command -v jq >/dev/null; then
    (cd bundle && crun spec && jq '.process.args = ["/bin/true"] | .process.terminal = false' \
        config.json >changed && mv changed config.json)
    (cd bundle && crun run bench </dev/null) && crun=yes
fi
[ -n "$crun" ] || echo "run.sh: crun does not run here: no comparison" >&2

# ---- A B A B; nanoseconds a run, one file a contestant

now() { date +%s%N; }

measure() { # name, command...
    name=$1
    shift
    sync -f .
    before=$(now)
    "$@" </dev/null >/dev/null 2>&1 || { echo "run.sh: failed: $*" >&2; exit 1; }
    echo $(($(now) - before)) >>"$work/$name"
}

median() { sort -n "$work/$1" | awk '{ v[NR] = $1 } END { printf "%.2f", v[int((NR + 1) / 2)] / 1e6 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

"$build/rkt-run" "$id" </dev/null # brings the stage1 image in
for _ in $(seq "$rounds"); do
    measure ours "$build/rkt-run" "$id"
    [ -z "$crun" ] || measure crun crun run --bundle bundle bench
    measure nothing /bin/true
done
"$build/rkt-pod" gc --grace-period=0s >/dev/null

for _ in $(seq "$rounds"); do
    "$build/rkt-store" rm "$id" >/dev/null
    "$build/rkt-store" import bench.aci >/dev/null
    measure first "$build/rkt-run" "$id"
    measure second "$build/rkt-run" "$id"
    "$build/rkt-pod" gc --grace-period=0s >/dev/null
done

echo "/bin/true in a pod, start to exit, ms, medians of $rounds, on ext4 (loop)"
printf '%-28s %8s\n' 'rkt-run' "$(median ours)"
if [ -n "$crun" ]; then
    printf '%-28s %8s\n' 'crun run, unpacked bundle' "$(median crun)"
fi
printf '%-28s %8s\n' 'no pod, as measured here' "$(median nothing)"
printf '%-28s %8s\n' 'first start after an import' "$(median first)" 'second start' "$(median second)"
[ -z "$crun" ] || echo "rkt-run / crun: $(ratio "$(median ours)" "$(median crun)")"
echo "first / second: $(ratio "$(median first)" "$(median second)")"
