#!/usr/bin/env bash
# Makes a realm's database and its two roles: the owner, who migrates, and the service's. PostgreSQL's
# image runs it once, as the superuser of an empty cluster. REALM names the realm; the passwords are
# read from the files ${REALM}_db_owner and ${REALM}_db_service of the secrets' folder.
set -euo pipefail

secrets=${SECRETS_DIR:-/run/secrets}
export OWNER_PASSWORD_FILE=$secrets/${REALM}_db_owner SERVICE_PASSWORD_FILE=$secrets/${REALM}_db_service

psql -X -q -v ON_ERROR_STOP=1 -v realm="$REALM" -v owner="godwit_${REALM}_owner" \
  -v service="godwit_$REALM" <<'SQL'
\set owner_password `cat "$OWNER_PASSWORD_FILE"`
\set service_password `cat "$SERVICE_PASSWORD_FILE"`
CREATE ROLE :"owner" LOGIN PASSWORD :'owner_password';
CREATE ROLE :"service" LOGIN PASSWORD :'service_password';
CREATE DATABASE :"realm" OWNER :"owner";
REVOKE ALL ON DATABASE :"realm" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"realm" TO :"service";
SQL
