# What ./check and ./quickstart share. To be sourced by a bash script that has set `root` to the top
# of the tree.

# Another clone of the same tree finds what this one compiled.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

# Prints a heading with the seconds since the command began.
step() { printf '\n== %s  (%s s)\n' "$*" "$SECONDS"; }
say() { printf '   %s\n' "$*"; }
fail() { printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Runs a command whose output matters only where it fails: then the end of it is shown.
quietly() {
  local log
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then rm -f "$log"; return 0; fi
  tail -n 60 "$log" >&2
  rm -f "$log"
  return 1
}

# Configures and builds a preset; further arguments are targets. Warnings are errors where CI is set.
# Configuring runs where it has to and no more, so that a tree with nothing to do takes a second.
build_preset() {
  local preset=$1 dir=$root/build/$1 werror=OFF
  shift
  if [[ -n ${CI:-} ]]; then werror=ON; fi
  if [[ ! -f $dir/build.ninja ]] ||
    ! grep -qs "^GODWIT_WERROR:BOOL=$werror$" "$dir/CMakeCache.txt"; then
    (cd "$root" && quietly cmake --preset "$preset" -DGODWIT_WERROR=$werror) ||
      fail "cmake --preset $preset failed"
  fi
  local targets=()
  if [[ $# -gt 0 ]]; then targets=(--target "$@"); fi
  # The last line of ninja tells how much was done.
  local log=$root/build/$preset.log
  if ! cmake --build "$dir" "${targets[@]}" >"$log" 2>&1; then
    grep -E -A 12 '(error|warning|FAILED|undefined)' "$log" | head -n 120 >&2 || tail -n 60 "$log" >&2
    fail "the build of preset $preset failed; all of it: $log"
  fi
  grep 'warning:' "$log" | sort -u | head -n 20 || true
  say "$(tail -n 1 "$log")"
}

# The vectors and data sets that tests read: where GODWIT_SHARED names none, ../shared if it exists.
find_shared() {
  if [[ -z ${GODWIT_SHARED:-} && -d $root/../shared ]]; then
    GODWIT_SHARED=$(cd "$root/../shared" && pwd)
  fi
  if [[ -n ${GODWIT_SHARED:-} ]]; then
    export GODWIT_SHARED
    say "vectors and data: $GODWIT_SHARED"
  else
    say "GODWIT_SHARED is not set: tests that need vectors or data skip themselves"
  fi
}
