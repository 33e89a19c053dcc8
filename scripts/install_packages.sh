#!/usr/bin/env bash
# Installs those packages of scripts/packages.txt that are missing, as root or through sudo. Where
# none is, it asks neither for the network nor for a password.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

mapfile -t wanted < <(grep -v '^#' "$here/packages.txt")
# dpkg-query fails where it does not know one of them.
known=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
installed=$(sed -n 's/^installed //p' <<<"$known")
mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) <(sort -u <<<"$installed"))
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "packages: all ${#wanted[@]} are there"
  exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || {
    echo "packages: missing: ${missing[*]}" >&2
    echo "packages: run this as root, or install sudo" >&2
    exit 1
  }
  as_root=(sudo)
fi

# Debian's package would start a cluster of the system's; ours are started by those who use them.
"${as_root[@]}" mkdir -p /etc/postgresql-common
if ! grep -qs '^create_main_cluster *= *false' /etc/postgresql-common/createcluster.conf; then
  echo 'create_main_cluster = false' |
    "${as_root[@]}" tee -a /etc/postgresql-common/createcluster.conf >/dev/null
fi

# Nor any other service of the system's: HAProxy's would be started now, and at each start. A policy
# that is there already is left alone.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 0755 "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
if printf '%s\n' "${missing[@]}" | grep -qx haproxy; then
  "${as_root[@]}" mkdir -p /etc/systemd/system
  [[ -e /etc/systemd/system/haproxy.service ]] ||
    "${as_root[@]}" ln -s /dev/null /etc/systemd/system/haproxy.service
fi

echo "packages: installing ${#missing[@]}: ${missing[*]}"
"${as_root[@]}" apt-get -qq update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold \
  install "${missing[@]}" >/dev/null
