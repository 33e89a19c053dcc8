#!/usr/bin/env bash
# Line and branch coverage of protocol/ by its own tests, file by file and in all. Ends with 1 below
# 100 % of the lines or 95 % of the branches. Builds in build/coverage.
#
#   coverage.sh [--lines FILE]     --lines: only the lines and branches of FILE that no test took
#
# Not counted: the branches that g++ adds to each call for an exception that might come out of it, and
# those on lines without code of ours (gcovr --exclude-throw-branches, --exclude-unreachable-branches):
# we throw nothing, and out of memory is no branch that a test takes. Nor asserts, whose other branch
# is a bug by definition.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
source "$root/scripts/common.sh"
lines=
case ${1:-} in
  "") ;;
  --lines) lines=${2:?coverage.sh --lines FILE} ;;
  *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac
find_shared
[[ -n ${GODWIT_SHARED:-} ]] || fail "the vectors cover lines: name their folder in GODWIT_SHARED"

build=$root/build/coverage
tests=(protocol_test protocol_gw1_test)
if [[ ! -f $build/build.ninja ]]; then
  quietly cmake -S "$root" -B "$build" -G Ninja \
    -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ "-DCMAKE_CXX_FLAGS=-O0 -g1 --coverage"
fi
quietly cmake --build "$build" --target "${tests[@]}"
find "$build" -name '*.gcda' -delete
for test in "${tests[@]}"; do
  RC_PARAMS="seed=1" quietly "$build/tests/protocol/$test" --gtest_brief=1 || fail "$test fails"
done

counts=$build/coverage.json
gcovr --root "$root" --filter "$root/protocol/" --exclude-throw-branches \
  --exclude-unreachable-branches --exclude-lines-by-pattern '^\s*assert\(' \
  --json "$counts" "$build/protocol" "$build/tests" 2>"$build/gcovr.log" || { cat "$build/gcovr.log" >&2; exit 1; }
if [[ -n $lines ]]; then
  python3 - "$counts" "$lines" <<'END'
import json
import sys

for file in json.load(open(sys.argv[1]))["files"]:
    if file["file"] != sys.argv[2]:
        continue
    for line in file["lines"]:
        missed = sum(branch["count"] == 0 for branch in line["branches"])
        if not line["gcovr/noncode"] and (line["count"] == 0 or missed > 0):
            print(f"{file['file']}:{line['line_number']}: ran {line['count']} times, "
                  f"{missed} of {len(line['branches'])} branches missed")
END
  exit 0
fi
report=(gcovr --root "$root" --add-tracefile "$counts")
"${report[@]}"
"${report[@]}" --branches --fail-under-line 100 --fail-under-branch 95
