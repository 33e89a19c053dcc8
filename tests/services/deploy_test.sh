#!/usr/bin/env bash
# Goes the way of docs/operations.md, "In containers", without containers: makes the secrets and the
# database by the scripts of deploy/, migrates it and starts a service on it, all with passwords.
#
#   deploy_test.sh TREE CASESD ADMIN       takes root, as deploy/secrets.sh does; else 77
set -euo pipefail
tree=$1 casesd=$2 admin=$3
[[ $(id -u) -eq 0 ]] || exit 77

fail() { echo "deploy_test: $*" >&2; exit 1; }
work=$(mktemp -d)
service=
trap '[[ -z $service ]] || kill -KILL "$service" 2>/dev/null || true
  "$tree/tests/support/postgres_cluster.sh" stop "$work/pg" || true
  rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/run"
ln -s "$admin" "$work/bin/godwit-admin"
export PATH=$work/bin:$PATH

"$tree/deploy/secrets.sh" "$work/secrets" cases 127.0.0.1 >/dev/null
secrets=$work/secrets/cases
owners=$(cd "$secrets" && stat -c '%n %u %a' db_* passfile owner_passfile front/* tls/*)
[[ $owners == "db_owner 999 400
db_service 999 400
db_superuser 999 400
passfile 10001 400
owner_passfile 10001 400
front/ca.crt 99 400
front/front.crt 99 400
front/front.key 99 400
front/server.crt 99 400
front/server.key 99 400
tls/ca.crt 10001 400
tls/front.crt 10001 400
tls/server.crt 10001 400
tls/server.key 10001 400" ]] || fail "secrets have other owners or modes: $owners"
[[ $(stat -c '%u %a' "$work/secrets" "$secrets" "$secrets/authority") == "0 700
0 700
0 700" ]] || fail "others may look into the secrets"
[[ $(sort -u "$secrets"/db_* | wc -l) -eq 3 ]] || fail "passwords repeat"
grep -qE '^[A-Za-z0-9]{40,}$' "$secrets/db_service" || fail "a password is short"
contents() { find "$secrets" -type f | sort | xargs sha256sum; }
before=$(contents)
"$tree/deploy/secrets.sh" "$work/secrets" cases 127.0.0.1 >/dev/null
[[ $(contents) == "$before" ]] || fail "a second run changes what is there"

# As PostgreSQL's image does: an empty cluster, its superuser, the secrets by their names.
"$tree/tests/support/postgres_cluster.sh" start "$work/pg" >/dev/null
cluster=$(cat "$work/pg/cluster")
for each in db_owner db_service; do cp "$secrets/$each" "$work/run/cases_$each"; done
PGHOST=$cluster PGUSER=postgres PGDATABASE=postgres REALM=cases SECRETS_DIR=$work/run \
  "$tree/deploy/postgres_init.sh"
superuser() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$(cat "$work/pg/conninfo")" -c "$1"; }
superuser 'CREATE ROLE somebody LOGIN'
printf 'local all postgres trust\nlocal all somebody trust\nlocal all all scram-sha-256\n' \
  >"$cluster/data/pg_hba.conf"
superuser 'SELECT pg_reload_conf()' >/dev/null
! psql -X -q "host=$cluster dbname=cases user=somebody" -c 'SELECT 1' >/dev/null 2>&1 ||
  fail "anybody connects to the realm's database"

# Here the database is a socket, there a host: passfiles name it.
for each in passfile owner_passfile; do
  sed "s|^cases-db:5432:|*:*:|" "$secrets/$each" >"$work/run/$each"
  chmod 0600 "$work/run/$each"
done
owner="host=$cluster dbname=cases user=godwit_cases_owner"
! godwit-admin migrate --role godwit_cases --database "$owner passfile=/dev/null" >/dev/null 2>&1 ||
  fail "the owner needs no password"
godwit-admin migrate --role godwit_cases --database "$owner passfile=$work/run/owner_passfile" \
  --claim-file "$work/run/claim" >/dev/null || fail "the owner cannot migrate"
[[ -s $work/run/claim ]] || fail "there is no claim"

export GODWIT_CASESD_LISTEN=127.0.0.1:0
export GODWIT_CASESD_CERTIFICATE=$secrets/tls/server.crt GODWIT_CASESD_KEY=$secrets/tls/server.key
export GODWIT_CASESD_FRONT_CERTIFICATE=$secrets/tls/front.crt GODWIT_CASESD_CALLERS=$secrets/tls/ca.crt
export GODWIT_CASESD_DATABASE="host=$cluster dbname=cases user=godwit_cases passfile=$work/run/passfile"
: >"$work/log"
GODWIT_CASESD_HEALTH_LISTEN=127.0.0.1:0 "$casesd" 2>>"$work/log" &
service=$!
for ((tries = 0; tries < 600; tries++)); do
  if grep -q '"event":"serves"' "$work/log" || ! kill -0 "$service" 2>/dev/null; then break; fi
  sleep 0.1
done
port=$(sed -n 's/.*"event":"serves".*"health_port":\([0-9]*\).*/\1/p' "$work/log")
[[ -n $port ]] || { cat "$work/log" >&2; fail "the service does not start"; }
GODWIT_CASESD_HEALTH_LISTEN=127.0.0.1:$port "$casesd" health || fail "the service is not healthy"
kill -TERM "$service"
wait "$service" || fail "the service does not end well"
service=

GODWIT_FRONT=127.0.0.1:1 GODWIT_SERVICE=127.0.0.1:2 GODWIT_SERVICE_NAME=casesd GODWIT_CALLS=10 \
  GODWIT_TLS=$secrets/front PATH=$PATH:/usr/sbin haproxy -c -q -f "$tree/deploy/haproxy.cfg" ||
  fail "the front does not take its certificates"
echo "secrets, database, migration, service and health stand"
