#!/usr/bin/env bash
# Mutation testing: turns each refusal of protocol/, and each check of the client on what a verifier or
# a server says, into a pass, one at a time, and runs the tests that reach it. Prints how many are
# caught, file by file, and those that survive with the reasons of tests/mutation/survivors.txt. Ends
# with 1 where fewer than 95 in 100 are caught or a survivor is not explained.
#
#   mutate.sh [--tests NAME,...] [FILE...]
#
# FILE: protocol/vault.cc, client/realm.cc, or a folder; all of them where none is named. --tests: these
# test binaries in the place of all that could see a mutant. It builds a copy of the tree in build/mutate,
# once for all mutants; tests/mutation/rewrite.py says what counts as a refusal. Nothing of it is in
# what people run.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
source "$root/scripts/common.sh"
if [[ ${1:-} == --help || ${1:-} == -h ]]; then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
  exit 0
fi
find_shared
[[ -n ${GODWIT_SHARED:-} ]] || fail "the vectors catch mutants: name their folder in GODWIT_SHARED"

scratch=$root/build/mutate
mkdir -p "$scratch"
cluster=$scratch/pg
"$root/tests/support/postgres_cluster.sh" fresh "$cluster" >/dev/null
trap '"$root/tests/support/postgres_cluster.sh" stop "$cluster" >/dev/null' EXIT
GODWIT_TEST_PG_FILE=$cluster/conninfo python3 -B "$root/tests/mutation/run.py" \
  --scratch "$scratch" "$@"
