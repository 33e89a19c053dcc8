#!/usr/bin/env bash
# Runs every fuzzer of build/asan for that many seconds, two at a time, and prints what each did.
#
#   run_fuzzers.sh SECONDS
#
# A corpus begins with fuzz/corpus/<name>, where it exists, and grows in build/fuzz/<name>. An input
# that breaks a fuzzer is kept as build/fuzz/<name>-crash-... and makes this fail, as does a fuzzer
# that ran nothing.
set -euo pipefail
seconds=${1:?run_fuzzers.sh SECONDS}
root=$(cd "$(dirname "$0")/.." && pwd)
home=$root/build/fuzz
mkdir -p "$home"

run() {
  local name=$1 seeds=()
  mkdir -p "$home/$name"
  if [[ -d $root/fuzz/corpus/$name ]]; then seeds=("$root/fuzz/corpus/$name"); fi
  if ! "$root/build/asan/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$home/$name-" \
    "$home/$name" "${seeds[@]}" >"$home/$name.log" 2>&1; then
    echo "   $name FAILED: $home/$name.log"
    tail -n 40 "$home/$name.log"
    return 1
  fi
  local executed rate
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$home/$name.log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$home/$name.log")
  printf '   %-24s %10s executions, %7s a second, %5s inputs kept\n' \
    "$name" "${executed:-0}" "${rate:-0}" "$(find "$home/$name" -type f | wc -l)"
  [[ ${executed:-0} -gt 0 ]]
}

mapfile -t names < <(cd "$root/fuzz" && ls ./*_fuzz.cc 2>/dev/null | sed 's|^\./||;s|_fuzz\.cc$||')
if [[ ${#names[@]} -eq 0 ]]; then
  echo "   there are no fuzzers"
  exit 0
fi

failed=0
running=0
for name in "${names[@]}"; do
  if [[ $running -ge 2 ]]; then
    wait -n || failed=1
    running=$((running - 1))
  fi
  run "$name" &
  running=$((running + 1))
done
while [[ $running -gt 0 ]]; do
  wait -n || failed=1
  running=$((running - 1))
done
exit $failed
