#!/usr/bin/env bash
# Makes the secrets of docker-compose.yml as files that their container alone can read.
#
#   secrets.sh FOLDER REALM HOST...    REALM: identity, cases or journeys; HOST: as clients reach it
#
# FOLDER/REALM gets the database's passwords, the passfiles, and tls/, with the server's certificate
# and key. The authority's own key is left in FOLDER/REALM/authority: move it off this machine.
# Takes root, who gives the files to the containers' users, and godwit-admin in PATH. What is there
# already is left as it is.
set -euo pipefail
[[ $# -ge 3 ]] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
folder=$1 realm=$2
shift 2
service_user=10001 database_user=999

umask 077
mkdir -p "$folder/$realm/authority" "$folder/$realm/tls"
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
if [[ ! -e tls/server.crt ]]; then
  hosts=()
  for host in "$@"; do hosts+=(--host "$host"); done
  godwit-admin pki issue authority "${hosts[@]}"
  for file in server.key server.crt; do
    chown "$service_user:$service_user" "authority/$file"
    chmod 0400 "authority/$file"
    mv "authority/$file" tls/
  done
fi
chown "$service_user:$service_user" tls
