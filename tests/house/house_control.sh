#!/usr/bin/env bash
# Shows that leftovers.py, formatted.sh, unique_names.sh, attack_rows.sh and run.py --faults refuse a
# made-up tree with one fault, and pass it without.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/base"
cp "$here/../../.clang-format" "$tree/"

expect() {
  local want=$1 got=0
  shift
  "$@" >"$tree/out.log" 2>&1 || got=$?
  if [[ $got -ne $want ]]; then
    echo "wanted exit $want, got $got: $*"
    cat "$tree/out.log"
    exit 1
  fi
}

printf 'int Answer();\n' >"$tree/base/a.h"
expect 0 python3 "$here/leftovers.py" "$tree"
if command -v clang-format-16 >/dev/null; then expect 0 "$here/formatted.sh" "$tree"; fi

printf 'int  Answer( );\n' >"$tree/base/a.h"
if command -v clang-format-16 >/dev/null; then expect 1 "$here/formatted.sh" "$tree"; fi

printf 'int Answer();  // %s: later\n' "TO""DO" >"$tree/base/a.h"
expect 1 python3 "$here/leftovers.py" "$tree"
printf 'TEST(A, %s) {}\n' "DISABLED""_B" >"$tree/base/a.h"
expect 1 python3 "$here/leftovers.py" "$tree"

for name in C B; do
  printf '#!/bin/sh\necho "  Test   #1: A.B"\necho "  Test #2: A.%s"\n' "$name" >"$tree/ctest"
  chmod +x "$tree/ctest"
  expect "$([[ $name == B ]] && echo 1 || echo 0)" "$here/unique_names.sh" "$tree" "$tree/ctest"
done

printf '#!/bin/sh\necho "  Test #1: A.Row1_B"\necho "  Test #2: A.Row25B"\n' >"$tree/ctest"
for row in 25 2; do
  printf '//    1  a\n//   %s  b\n' "$row" >"$tree/table.h"
  expect "$([[ $row == 25 ]] && echo 0 || echo 1)" \
    "$here/attack_rows.sh" "$tree" "$tree/table.h" "$tree/ctest"
done
printf '// no rows\n' >"$tree/table.h"
expect 1 "$here/attack_rows.sh" "$tree" "$tree/table.h" "$tree/ctest"

root=$here/../..
mkdir "$tree/tests"
cp -r "$root/protocol" "$root/client" "$tree/"
cp -r "$root/tests/mutation" "$tree/tests/"
expect 0 python3 -B "$tree/tests/mutation/run.py" --faults
printf '\nbool IsUnheardOf(int value) { return value == 0; }\n' >>"$tree/protocol/kinds.cc"
expect 1 python3 -B "$tree/tests/mutation/run.py" --faults
