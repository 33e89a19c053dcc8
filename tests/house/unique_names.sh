#!/usr/bin/env bash
# Fails on names that two tests share: ctest would give one of them the other's properties, such as
# the database that it waits for.
#
#   unique_names.sh BUILD [CTEST]
set -euo pipefail
names=$("${2:-ctest}" --test-dir "${1:?unique_names.sh BUILD [CTEST]}" -N |
  sed -n 's/^ *Test *#[0-9]*: //p')
[[ -n $names ]] || { echo "no tests found"; exit 1; }
twice=$(sort <<<"$names" | uniq -d)
if [[ -n $twice ]]; then
  echo "each of these names two tests:"
  echo "$twice"
  exit 1
fi
echo "$(wc -l <<<"$names") tests, each with a name of its own"
