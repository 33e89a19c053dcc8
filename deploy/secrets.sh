#!/usr/bin/env bash
# Makes the secrets of docker-compose.yml as files that their container alone can read.
#
#   secrets.sh FOLDER REALM HOST...    REALM: identity, cases or journeys; HOST: as clients reach it
#
# FOLDER/REALM gets the database's passwords, the passfiles, front/, with the certificate and key that
# clients see, and tls/, with those of the service; by both the two know each other. The authority's own
# key is left in FOLDER/REALM/authority: move it off this machine.
# Takes root, who gives the files to the containers' users, and godwit-admin in PATH. What is there
# already is left as it is.
set -euo pipefail
[[ $# -ge 3 ]] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
folder=$1 realm=$2
shift 2
service_user=10001 database_user=999 front_user=99

umask 077
mkdir -p "$folder/$realm/authority" "$folder/$realm/tls" "$folder/$realm/front"
cd "$folder/$realm"

# put FILE USER TEXT: a file of that user's alone.
put() {
  if [[ -e $1 ]]; then return; fi
  printf '%s\n' "$3" >"$1.new"
  chown "$2:$2" "$1.new"
  chmod 0400 "$1.new"
  mv "$1.new" "$1"
}
password() { head -c 32 /dev/urandom | base64 | tr -d '+/=\n'; }

put db_superuser "$database_user" "$(password)"
put db_owner "$database_user" "$(password)"
put db_service "$database_user" "$(password)"
put passfile "$service_user" "$realm-db:5432:$realm:godwit_$realm:$(cat db_service)"
put owner_passfile "$service_user" "$realm-db:5432:$realm:godwit_${realm}_owner:$(cat db_owner)"

if [[ ! -e authority/ca.crt ]]; then godwit-admin pki init authority; fi
# give USER FILE...: to that user alone.
give() {
  local user=$1
  shift
  chown "$user:$user" "$@"
  chmod 0400 "$@"
}
if [[ ! -e front/server.crt ]]; then
  hosts=()
  for host in "$@"; do hosts+=(--host "$host"); done
  godwit-admin pki issue authority "${hosts[@]}"
  cp authority/server.crt tls/front.crt
  give "$service_user" tls/front.crt
  give "$front_user" authority/server.key authority/server.crt
  mv authority/server.key authority/server.crt front/
fi
# A service that was its own front had those of clients there.
if [[ ! -e tls/ca.crt ]]; then
  godwit-admin pki front inner --host "${realm}d"
  cp inner/ca.crt front/
  give "$front_user" inner/front.key inner/front.crt front/ca.crt
  give "$service_user" inner/server.key inner/server.crt inner/ca.crt
  mv inner/front.key inner/front.crt front/
  mv inner/server.key inner/server.crt inner/ca.crt tls/
  rmdir inner
fi
chown "$service_user:$service_user" tls
chown "$front_user:$front_user" front
