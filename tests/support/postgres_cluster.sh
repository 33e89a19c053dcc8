#!/usr/bin/env bash
# A PostgreSQL cluster of its own for a test run or for quickstart: data checksums on, no TCP, one
# unix socket that only its user can reach.
#
#   postgres_cluster.sh start DIR    make it, or start it again with its data; writes DIR/conninfo
#   postgres_cluster.sh fresh DIR    stop and start: whatever an earlier run left there is gone
#   postgres_cluster.sh stop DIR     stop it and remove its data
#   postgres_cluster.sh halt DIR     stop it and keep its data
#   postgres_cluster.sh crash DIR    kill -9 the postmaster and all its backends, keep the data
#
# DIR/conninfo holds a libpq connection string for the superuser; a test binary run by hand finds it
# where GODWIT_TEST_PG_FILE names this file. The cluster itself lies in a short path under /tmp,
# because a socket's path has 107 bytes at most and user postgres cannot enter every build folder;
# DIR/cluster names it. Run by root, the server runs as user postgres.
#
# GODWIT_PG_CLUSTER, where set, names the cluster's folder instead: one that lasts.
set -euo pipefail

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
[[ $# -eq 2 ]] || usage
command=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
cluster=$(cat "$dir/cluster" 2>/dev/null || true)

bin=/usr/lib/postgresql/15/bin
[[ -x $bin/postgres ]] || { echo "postgres_cluster: no $bin/postgres" >&2; exit 1; }

# Runs a server program as the user that the server runs as, from a folder that this user can enter.
as_server() {
  if [[ $(id -u) -eq 0 ]]; then
    (cd / && exec runuser -u postgres -- env -i PATH="$bin:/usr/bin:/bin" LC_ALL=C.UTF-8 "$@")
  else
    (cd / && exec env -i PATH="$bin:/usr/bin:/bin" LC_ALL=C.UTF-8 "$@")
  fi
}

postmaster_pid() { head -n 1 "$cluster/data/postmaster.pid" 2>/dev/null || true; }

# A process that ended, and that nobody has waited for, still has a number: not alive.
alive() { [[ $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1) == [!ZX] ]]; }

running() {
  local pid
  pid=$(postmaster_pid)
  [[ -n $pid ]] && alive "$pid"
}

halt() {
  if running; then as_server pg_ctl -D "$cluster/data" -m fast -w -t 60 stop >/dev/null; fi
}

remove() {
  # Only what start made: a folder that holds a cluster and is marked as ours.
  if [[ -f $cluster/godwit-cluster ]]; then rm -rf "$cluster"; fi
  rm -f "$dir/cluster" "$dir/conninfo"
}

create() {
  if [[ -n ${GODWIT_PG_CLUSTER:-} ]]; then
    cluster=$GODWIT_PG_CLUSTER
    # Its socket, .s.PGSQL.5432, and that one's lock stand below it.
    if [[ ${#cluster} -gt 85 ]]; then
      echo "postgres_cluster: a socket's path is short, and $cluster is long" >&2
      exit 1
    fi
    mkdir -p "$cluster"
  else
    cluster=$(mktemp -d /tmp/godwit-pg.XXXXXX)
  fi
  chmod 0700 "$cluster"
  touch "$cluster/godwit-cluster"
  if [[ $(id -u) -eq 0 ]]; then chown postgres: "$cluster"; fi
  echo "$cluster" >"$dir/cluster"
  as_server initdb -D "$cluster/data" --username=postgres --auth=trust --data-checksums \
    --encoding=UTF8 --locale=C.UTF-8 --no-instructions >/dev/null
  as_server tee -a "$cluster/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$cluster'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 256MB
logging_collector = off
log_statement = none
log_min_error_statement = panic
CONF
}

start() {
  if [[ -n $cluster && ! -d $cluster/data ]]; then remove; cluster=; fi
  if [[ -z $cluster ]]; then create; fi
  if ! running; then
    as_server pg_ctl -D "$cluster/data" -l "$cluster/log" -w -t 60 start >/dev/null 2>&1 ||
      { tail -n 20 "$cluster/log" >&2; exit 1; }
  fi
  echo "host=$cluster user=postgres dbname=postgres" >"$dir/conninfo"
  echo "PostgreSQL is up: $(cat "$dir/conninfo")"
}

crash() {
  local pid
  pid=$(postmaster_pid)
  running || { echo "postgres_cluster: $dir has no running cluster" >&2; exit 1; }
  # The parent first: alive, it would see its children die and begin a recovery of its own.
  kill -STOP "$pid"
  local children
  children=$(ps -o pid= --ppid "$pid")
  kill -KILL "$pid" $children 2>/dev/null || true
  local each
  for each in "$pid" $children; do
    while alive "$each"; do sleep 0.01; done
  done
  # Until somebody waits for the dead postmaster, its number would keep a new one from starting.
  rm -f "$cluster/data/postmaster.pid" "$cluster"/.s.PGSQL.5432 "$cluster"/.s.PGSQL.5432.lock
}

case $command in
  start) start ;;
  fresh) halt; remove; cluster=; start ;;
  stop) halt; remove ;;
  halt) halt ;;
  crash) crash ;;
  *) usage ;;
esac
