#!/usr/bin/env bash
# Measures Godwit beside what its work cannot do without, and prints one JSON object a line:
# bench, ours, baseline, theirs, ratio (ours / theirs), unit, n, spread.
#
#   scripts/bench.sh [--quick] [--preset NAME] [NAME...]
#
# NAME is commit_single, commit_batch, board_cold or import; none means all. --quick does the
# same over a few records: it shows that all works, and its figures mean nothing. --preset builds
# another preset than release.
# docs/operations.md says what is measured against what. It needs a minute or two of a machine that
# does nothing else; what it builds first is only what it runs.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
source "$root/scripts/common.sh"

preset=release arguments=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --preset) preset=${2:?--preset takes a name}; shift 2 ;;
    -h|--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) arguments+=("$1"); shift ;;
  esac
done

mkdir -p "$root/build"
build_preset "$preset" godwit_bench >&2

state=$(mktemp -d)
trap '"$root/tests/support/postgres_cluster.sh" stop "$state" >&2; rm -rf "$state"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$root/tests/support/postgres_cluster.sh" start "$state" >&2
say "load before: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores" >&2
GODWIT_TEST_PG_FILE=$state/conninfo timeout 1800 "$root/build/$preset/bench/godwit_bench" \
  "$root/build/$preset/services" ${arguments[@]+"${arguments[@]}"} 2>"$state/log" ||
  { tail -n 20 "$state/log" >&2; fail "the measuring failed"; }
say "load after: $(cut -d' ' -f1-3 /proc/loadavg)" >&2
