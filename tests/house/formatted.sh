#!/usr/bin/env bash
# Fails on C++ files that clang-format would change, and names them. Exit 77 (ctest: skipped) where
# clang-format-16 is missing, but a failure with CI=true.
#
#   formatted.sh TREE
set -euo pipefail
cd "${1:?formatted.sh TREE}"
if ! command -v clang-format-16 >/dev/null; then
  echo "clang-format-16 is missing"
  if [[ ${CI:-} == true ]]; then exit 1; fi
  exit 77
fi

mapfile -t files < <(find base crypto protocol transport storage services client tools tests bench \
  fuzz \( -name '*.cc' -o -name '*.h' \) 2>/dev/null | sort)
[[ ${#files[@]} -gt 0 ]] || { echo "no files found"; exit 1; }
bad=$(printf '%s\0' "${files[@]}" |
  xargs -0 -n 25 -P 2 clang-format-16 --dry-run -Werror 2>&1 |
  sed -n 's/^\([^: ]*\):[0-9]*:[0-9]*: error:.*/\1/p' | sort -u || true)
if [[ -n $bad ]]; then
  echo "clang-format-16 -i would change:"
  echo "$bad"
  exit 1
fi
echo "${#files[@]} files are formatted"
