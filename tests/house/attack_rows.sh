#!/usr/bin/env bash
# Fails on a row of the table of attacks that no test is named for.
#
#   attack_rows.sh BUILD TABLE [CTEST]
#
# TABLE has a comment line for each row, that begins with the row's number: "//   25  attack_rules".
set -euo pipefail
usage="attack_rows.sh BUILD TABLE [CTEST]"
names=$("${3:-ctest}" --test-dir "${1:?$usage}" -N | sed -n 's/^ *Test *#[0-9]*: //p')
rows=$(sed -n 's|^//  *\([0-9][0-9]*\)  .*|\1|p' "${2:?$usage}")
[[ -n $rows ]] || { echo "no rows found in $2"; exit 1; }
missing=0
for row in $rows; do
  grep -q "\.Row$row[^0-9]" <<<"$names" || { echo "row $row has no test"; missing=1; }
done
[[ $missing -eq 0 ]] || exit 1
echo "$(wc -w <<<"$rows") rows, each with a test"
