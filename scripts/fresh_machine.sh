#!/usr/bin/env bash
# Runs ./check and ./quickstart --once as a stranger would, on Debian 12 as debootstrap's minbase
# makes it, with the tree that is committed here.
#
#   fresh_machine.sh [root|user]
#
# As root, and on a second machine as a user with sudo; on each a second time, with no network, where
# nothing may be left to build. Takes root, a Debian mirror (that of this machine's apt) and about
# 8 GB under /var/tmp. Vectors and data come from GODWIT_SHARED, read-only.
#
# Each run has mounts, processes and, the second time, a network of its own (unshare): they end with
# the run, and the folder is removed at the end. The machines share downloaded packages and the
# compiler cache, which nothing outside sees.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
source "$root/scripts/common.sh"

[[ $(id -u) -eq 0 ]] || fail "this takes root"
case ${1:-} in
  '') who=(root user) ;;
  root|user) who=("$1") ;;
  *) fail "unknown argument $1: root or user" ;;
esac
command -v debootstrap >/dev/null ||
  quietly apt-get -y --no-install-recommends install debootstrap ||
  fail "debootstrap is missing and cannot be installed"
find_shared

work=$(mktemp -d /var/tmp/godwit-fresh.XXXXXX)
# The mounts are in namespaces that end with their first process, so that this meets no file of
# another's.
running=
trap '[[ -z $running ]] || { kill -KILL "$running"; wait "$running" || true; }
  rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$work/archives/partial" "$work/ccache"
chmod 0711 "$work"
chmod 0777 "$work/ccache"

step "a Debian 12 of its own"
mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: bookworm" 2>/dev/null | head -n 1)
mirror=${mirror:-http://deb.debian.org/debian/}
say "mirror: $mirror"
quietly debootstrap --variant=minbase --cache-dir="$work/archives" bookworm "$work/base" \
  "$mirror" || fail "debootstrap failed"
# The machine's own way to packages: its sources, and settings such as a proxy.
if [[ -f /etc/apt/sources.list.d/debian.sources ]]; then
  cp /etc/apt/sources.list.d/debian.sources "$work/base/etc/apt/sources.list.d/"
  rm -f "$work/base/etc/apt/sources.list"
elif [[ -f /etc/apt/sources.list ]]; then
  cp /etc/apt/sources.list "$work/base/etc/apt/sources.list"
fi
apt-config dump | grep -E '^Acquire::(http|https|Check-)' >"$work/base/etc/apt/apt.conf.d/90machine" ||
  true
# Nothing here has to survive a power cut.
echo force-unsafe-io >"$work/base/etc/dpkg/dpkg.cfg.d/90machine"
git clone -q "$root" "$work/base/src"

# in_machine NAME online|offline SCRIPT: runs a bash script as root of that machine.
in_machine() {
  local machine=$work/$1 net=()
  if [[ $2 == offline ]]; then net=(--net); fi
  unshare --mount --pid --fork --kill-child --propagation private "${net[@]}" \
    bash -s "$machine" "$work" "${GODWIT_SHARED:-}" "$3" <<'INSIDE' &
set -euo pipefail
machine=$1 work=$2 shared=$3 script=$4
mount -t proc proc "$machine/proc"
mount --rbind /dev "$machine/dev"
mount -t tmpfs tmpfs "$machine/dev/shm"
mkdir -p "$machine/var/cache/apt/archives" "$machine/ccache"
mount --bind "$work/archives" "$machine/var/cache/apt/archives"
mount --bind "$work/ccache" "$machine/ccache"
if [[ -n $shared ]]; then
  mkdir -p "$machine/shared"
  mount --bind "$shared" "$machine/shared"
  mount -o remount,bind,ro "$machine/shared"
fi
cp /etc/resolv.conf /etc/hosts "$machine/etc/"
# A new network's loopback is down; without a network that is all that there is.
if command -v ip >/dev/null; then ip link set lo up; fi
exec chroot "$machine" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
  CI=true CCACHE_DIR=/ccache CCACHE_UMASK=000 ${shared:+GODWIT_SHARED=/shared} \
  bash -c "set -euo pipefail; cd /src; $script" </dev/null
INSIDE
  # Awaited, not run in front, so that a signal is heard at once.
  running=$!
  local result=0
  wait "$running" || result=$?
  running=
  return $result
}

# run_twice NAME COMMAND: online and then offline, where ninja may find nothing to do.
run_twice() {
  local name=$1 command=$2 turn begun
  for turn in online offline; do
    begun=$SECONDS
    if ! in_machine "$name" "$turn" "$command" >"$work/$name-$turn.log" 2>&1; then
      tail -n 100 "$work/$name-$turn.log" >&2
      fail "as $name, $turn: failed"
    fi
    say "as $name, $turn: $((SECONDS - begun)) s; $(grep 'tests passed' "$work/$name-$turn.log" | tail -n 1)"
  done
  # The lines that build_preset prints: the last of ninja's.
  grep -q 'ninja: no work to do' "$work/$name-offline.log" || fail "as $name, offline: no build ran"
  if grep -E '^ +\[[0-9]+/[0-9]+\] ' "$work/$name-offline.log" >&2; then
    fail "as $name, offline: something was left to build"
  fi
}

commands='./check && ./quickstart --once'
for name in "${who[@]}"; do
  step "both commands as $name"
  cp -a "$work/base" "$work/$name"
  if [[ $name == root ]]; then
    run_twice root "$commands"
  else
    quietly in_machine user online "
      apt-get -qq update
      DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install sudo
      useradd --create-home --shell /bin/bash stranger
      echo 'stranger ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/stranger
      chown -R stranger: /src" || fail "the machine of the user could not be prepared"
    run_twice user "exec runuser -u stranger -- env HOME=/home/stranger bash -c '$commands'"
  fi
  rm -rf --one-file-system "${work:?}/$name"
done
say "both commands pass on a fresh machine, with and without a network"
