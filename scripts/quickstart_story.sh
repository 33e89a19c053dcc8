# The walk of ./quickstart: `story` runs with PostgreSQL up, and with $bin, $state and $conninfo set.

story() {
  step "databases"
  say "$(psql_value "SELECT count(*) || ' databases besides the templates: ' ||
    string_agg(datname, ', ') FROM pg_database WHERE NOT datistemplate")"
}
