# How ./quickstart starts, awaits and stops PostgreSQL and servers. To be sourced after common.sh;
# all lies under $state: run/NAME.pid, log/NAME.log, pg/ for the cluster.

# Anybody may make a folder of that name in /var/tmp before root does.
refuse_foreign_state() {
  if [[ -e $state || -L $state ]] && [[ ! -O $state || -L $state ]]; then
    fail "$state belongs to somebody else"
  fi
}

# User postgres must reach the cluster inside root's state, and nobody may list either.
prepare_state() {
  mkdir -p "$state"
  refuse_foreign_state
  mkdir -p "$state/run" "$state/log"
  if [[ $(id -u) -eq 0 ]]; then chmod 0711 "$state"; else chmod 0700 "$state"; fi
  chmod 0700 "$state/run" "$state/log"
}

# Starts the cluster of this state; afterwards `conninfo` connects to it as its superuser.
start_postgres() {
  GODWIT_PG_CLUSTER=$state/cluster "$root/tests/support/postgres_cluster.sh" start "$state/pg" \
    >"$state/log/postgres-start.log" || fail "PostgreSQL did not start"
  conninfo=$(cat "$state/pg/conninfo")
  say "$(psql_value "SELECT 'version ' || current_setting('server_version')")"
  say "checksums $(psql_value 'SHOW data_checksums'), $(psql_value \
    "SELECT 'synchronous_commit ' || current_setting('synchronous_commit')")"
}

# Prints what one SQL statement returns; further arguments go to psql (-d for another database).
psql_value() {
  local sql=$1
  shift
  psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" "$conninfo" -c "$sql"
}

# Prints that many loopback ports, each free a moment ago and none twice.
free_ports() {
  python3 - "$1" <<'PY'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))
PY
}

# What tells a process from a later one with the same number: when it started.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# start_service NAME COMMAND...: runs it in the background, with its output in log/NAME.log.
start_service() {
  local name=$1
  shift
  setsid "$@" >>"$state/log/$name.log" 2>&1 </dev/null &
  local pid=$!
  echo "$pid $(started_at "$pid")" >"$state/run/$name.pid"
}

# Succeeds where the service of that name runs.
service_runs() {
  local pid started
  read -r pid started 2>/dev/null <"$state/run/$1.pid" || return 1
  [[ -n $started && $(started_at "$pid") == "$started" ]] &&
    [[ $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1) != Z ]]
}

# wait_for NAME SECONDS COMMAND...: returns when the command succeeds; ends the walk with the end of
# the service's log when the service dies or the time is over.
wait_for() {
  local name=$1 seconds=$2 end
  shift 2
  end=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    if ! service_runs "$name"; then
      tail -n 20 "$state/log/$name.log" >&2
      fail "$name ended; its log: $state/log/$name.log"
    fi
    if ((SECONDS >= end)); then
      tail -n 20 "$state/log/$name.log" >&2
      fail "$name was not ready after $seconds s"
    fi
    sleep 0.1
  done
}

# Succeeds where something accepts connections on this loopback port.
port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Asks a service to end, and ends it after ten seconds.
stop_service() {
  local name=$1 pid tries=0
  if service_runs "$name"; then
    read -r pid _ <"$state/run/$name.pid"
    kill -TERM "$pid" 2>/dev/null || true
    while service_runs "$name"; do
      tries=$((tries + 1))
      if ((tries > 100)); then kill -KILL "$pid" 2>/dev/null || true; fi
      sleep 0.1
    done
  fi
  rm -f "$state/run/$name.pid"
}

# Stops the services, then PostgreSQL. Safe to call where nothing runs.
stop_everything() {
  local file
  for file in "$state"/run/*.pid; do
    if [[ -f $file ]]; then stop_service "$(basename "$file" .pid)"; fi
  done
  if [[ -f $state/pg/cluster ]]; then
    "$root/tests/support/postgres_cluster.sh" halt "$state/pg" || true
  fi
}
