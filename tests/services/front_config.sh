#!/usr/bin/env bash
# Has HAProxy judge deploy/haproxy.cfg, and sees that it would find a fault.
#
#   front_config.sh TREE
set -euo pipefail
config=$1/deploy/haproxy.cfg
command -v haproxy >/dev/null || PATH=$PATH:/usr/sbin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in server front; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -days 2 \
    -keyout "$work/$name.key" -out "$work/$name.crt" 2>/dev/null
done
cp "$work/server.crt" "$work/ca.crt"
export GODWIT_FRONT=127.0.0.1:1 GODWIT_SERVICE=127.0.0.1:2 GODWIT_SERVICE_NAME=name \
  GODWIT_TLS=$work GODWIT_CALLS=10
haproxy -c -q -f "$config"
sed 's/http-reuse never/http-reuse nevermore/' "$config" >"$work/broken.cfg"
if haproxy -c -q -f "$work/broken.cfg" 2>/dev/null; then
  echo "front_config: a fault is not found" >&2
  exit 1
fi
# What the threats are met by, and what would say who came.
for line in 'mode http' 'http-reuse never' 'verify required' 'ssl-min-ver TLSv1.3'; do
  grep -qF "$line" "$config" || { echo "front_config: $line is missing" >&2; exit 1; }
done
if grep -qE '^ *(option httplog|option tcplog|log global)' "$config"; then
  echo "front_config: it logs its clients" >&2
  exit 1
fi
