# shellcheck shell=sh disable=SC2154
# Sourced by the benches: runs of commands in turn, and the medians of what they took. Wants $work, a
# directory of the bench.

now() { date +%s%N; }

# What our finished children have used, in ticks, from /proc (fields 14 to 17 of stat).
cpu() { awk '{ sub(/.*\) /, ""); print $14 + $15 }' "/proc/$$/stat"; }

# measure NAME COMMAND [ARGUMENT...]: one run of the shell's COMMAND, with the ARGUMENTs as $1, $2, ...
measure() {
    name=$1 command=$2
    shift 2
    cpu_before=$(cpu)
    before=$(now)
    sh -ec "$command" bench "$@" >/dev/null
    echo "$(($(now) - before)) $(($(cpu) - cpu_before))" >>"$work/$name"
}

# measure_short NAME COMMAND [ARGUMENT...]: one run of a COMMAND that takes less than starting a shell does.
# Wants $cost, the program cost of this folder.
measure_short() {
    name=$1
    shift
    "$cost" 1 "$@" | awk -v ticks="$(getconf CLK_TCK)" '{ print $1 * 1000, $2 / 1e6 * ticks }' >>"$work/$name"
}

# median NAME: seconds of wall time. median_cpu NAME: of processors.
median_of() { cut -d ' ' -f "$2" "$work/$1" | sort -n | awk -v by="$3" '{ v[NR] = $1 } END { printf "%.3f", v[int((NR + 1) / 2)] / by }'; }
median() { median_of "$1" 1 1e9; }
median_cpu() { median_of "$1" 2 "$(getconf CLK_TCK)"; }

# ratio A B: the median of A in those of B
ratio() { awk -v a="$(median "$1")" -v b="$(median "$2")" 'BEGIN { printf "%.2f", a / (b > 0 ? b : 1e-9) }'; }
