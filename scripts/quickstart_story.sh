# The walk of ./quickstart: `story` runs with PostgreSQL up, and with $root, $bin, $state and
# $conninfo set. Everybody and everything in it is made up, the passphrase too.

realms=(identity cases journeys)
sample_cases=${GODWIT_QUICKSTART_CASES:-60}
passphrase='correct horse battery example'

# Handle, name and roles. Two owners found the organisation; they take in two admins, who take in
# everybody else.
admins() {
  cat <<'CSV'
handle,name,roles
dana,Dana Example,admin
hana,Hana Imaginary,admin
CSV
}
first_caseworker() {
  cat <<'CSV'
handle,name,roles
haneul,Haneul Specimen,caseworker
CSV
}
people() {
  cat <<'CSV'
handle,name,roles
jun,Jun Placeholder,caseworker
sora,Sora Invented,caseworker
dal,Dal Sample,supervisor
nuri,Nuri Example,coordinator
garam,Garam Fictitious,route
imja,Imja Nobody,intake
CSV
}

# godwit PROFILE ARGUMENTS...: the command as that person runs it.
godwit() {
  local profile=$1
  shift
  "$bin/client/cli/godwit" "$@" --profile "$profile" --passphrase-fd 3 3< <(printf '%s' "$passphrase")
}

# Shows a command as a person would type it, and runs it.
as() {
  local profile=$1
  shift
  printf '\n   %s$ godwit %s\n' "$profile" "$*"
  godwit "$profile" "$@" | sed 's/^/     /'
}

# waits PROFILE ARGUMENTS...: the same for what must wait for somebody else (exit code 7).
waits() {
  local profile=$1 output code=0
  shift
  printf '\n   %s$ godwit %s\n' "$profile" "$*"
  output=$(godwit "$profile" "$@" 2>&1) || code=$?
  sed 's/^/     /' <<<"$output"
  [[ $code -eq 7 ]] || fail "this must wait for somebody else, and ended with $code"
}

# joins INVITER APPROVER FILE: several people join; the approver signs what the inviter may not
# grant alone.
joins() {
  "$root/scripts/join_members.py" --godwit "$bin/client/cli/godwit" --inviter "$1" \
    --approver "$2" --people "$3" 3< <(printf '%s' "$passphrase")
}

# facts PROFILE ARGUMENTS...: the same with facts from stdin, which are shown with the command: what
# is about a person is never typed where others see it.
facts() {
  local profile=$1 text
  shift
  text=$(cat)
  printf '\n   %s$ godwit %s --from - <<END\n' "$profile" "$*"
  sed 's/^/   > /' <<<"$text"
  godwit "$profile" "$@" --from - <<<"$text" | sed 's/^/     /'
}

# field NAME: of the last line of JSON on stdin.
field() { python3 -c 'import json,sys; print(json.loads(sys.stdin.read().splitlines()[-1])[sys.argv[1]])' "$1"; }

# refused PROFILE WHAT ARGUMENTS...: the same for what must not work; ends the walk if it does.
refused() {
  local profile=$1 what=$2 output
  shift 2
  printf '\n   %s$ godwit %s\n' "$profile" "$*"
  if output=$(godwit "$profile" "$@" 2>&1); then fail "$what: this must be refused"; fi
  sed 's/^/     /' <<<"$output"
  say "refused, as it must be: $what"
}

conninfo_of() { echo "host=$(cat "$state/pg/cluster") dbname=$1 user=$2"; }

# A database, two roles and certificates for a realm, and its one-time claim.
prepare_realm() {
  local realm=$1
  psql_value "CREATE ROLE ${realm}_owner LOGIN" >/dev/null
  psql_value "CREATE ROLE ${realm}_service LOGIN" >/dev/null
  psql_value "CREATE DATABASE $realm OWNER ${realm}_owner" >/dev/null
  psql_value "REVOKE ALL ON DATABASE $realm FROM PUBLIC" >/dev/null
  psql_value "GRANT CONNECT ON DATABASE $realm TO ${realm}_service" >/dev/null
  "$admin" migrate --database "$(conninfo_of "$realm" "${realm}_owner")" \
    --role "${realm}_service" --claim-file "$state/$realm.claim" >/dev/null
  mkdir -m 0700 "$state/pki-$realm"
  "$admin" pki init "$state/pki-$realm" >"$state/$realm.pin"
  "$admin" pki issue "$state/pki-$realm" --host 127.0.0.1 >/dev/null
  say "$realm: a database, a role that can only read and append, a certificate authority"
}

pin_of() { grep -oE '[0-9a-f]{64}' "$state/$1.pin" | head -n 1; }

start_realms() {
  local realm i=0
  for realm in "${realms[@]}"; do
    service_runs "$realm" || start_service "$realm" "$bin/services/$realm/godwit-${realm}d" \
      --listen "127.0.0.1:${ports[i]}" --certificate "$state/pki-$realm/server.crt" \
      --key "$state/pki-$realm/server.key" \
      --database "$(conninfo_of "$realm" "${realm}_service")"
    i=$((i + 1))
  done
  i=0
  for realm in "${realms[@]}"; do
    wait_for "$realm" 30 port_open "${ports[i]}"
    say "godwit-${realm}d answers at 127.0.0.1:${ports[i]}"
    i=$((i + 1))
  done
}

# The agents hold keys in memory until they are locked: ended with the rest.
stop_agents() {
  local profile
  [[ -d ${GODWIT_HOME:-} ]] || return 0
  for profile in "$GODWIT_HOME"/*/; do
    "$bin/client/cli/godwit" lock --profile "$(basename "$profile")" >/dev/null 2>&1 || true
  done
}

# grep_databases TEXT...: how many files of the cluster, its log of writes included, hold one of
# these texts.
grep_databases() {
  psql_value CHECKPOINT >/dev/null
  printf '%s\n' "$@" >"$state/files/texts"
  { grep -rlaF -f "$state/files/texts" "$(cat "$state/pg/cluster")/data" 2>/dev/null || true; } |
    wc -l
}

# Two owners found it: a draft goes from one to the other, each adds keys of their own, both sign,
# and it is published with the root keys, which were on paper until then.
found_organisation() {
  local draft=$state/files/org.draft arguments=() claims=() realm roots i=0
  for realm in "${realms[@]}"; do
    arguments+=(--realm "$realm=127.0.0.1:${ports[i]},$(pin_of "$realm")")
    claims+=(--claim "$realm=$state/$realm.claim")
    i=$((i + 1))
  done
  printf '\n   minji$ godwit org create --draft org.draft --evaluation %s ...\n' \
    "--founder minji=owner --founder seol=owner"
  roots=$(godwit minji org create --draft "$draft" --evaluation --founder minji=owner \
    --founder seol=owner --handle minji --name 'Minji Founder' --root-fd 4 "${arguments[@]}" \
    4>&1 >"$state/files/shown")
  sed 's/^/     /' "$state/files/shown"
  waits seol org sign "$draft" --handle seol --name 'Seol Founder' --yes
  as minji org sign "$draft" --yes
  as seol org sign "$draft" --yes
  local code=0
  printf '\n   minji$ godwit org publish org.draft --claim ...\n'
  godwit minji org publish "$draft" "${claims[@]}" --root-fd 4 4<<<"$roots" \
    >"$state/files/shown" || code=$?
  unset roots
  sed 's/^/     /' "$state/files/shown"
  [[ $code -eq 7 ]] || fail "two owners must sign the policy, and one was enough"
  rm -f "$state"/*.claim "$draft"
  godwit seol sync >/dev/null
  as seol approve all --yes
  as minji reconcile --yes
}

# One case, by the people of each step: nobody can take a step alone that is not theirs.
work_on_a_case() {
  local code need file=$state/files/person conflict
  say "haneul works where there is no network: the services of two realms are down"
  for realm in identity cases; do stop_service "$realm"; done
  cat >"$file" <<'END'
summary.consent.store_identity = yes
summary.consent.services = yes
summary.sex = female
identity_profile.names[0].full = 가상인
identity_profile.birth.date = 2009
END
  printf '\n   haneul$ godwit case open --supervisor dal --from person.txt\n'
  sed 's/^/   > /' "$file"
  code=$(godwit haneul case open --supervisor dal --from "$file" --json | field code)
  say "opened as $code, and kept on the device"
  facts haneul kin add "$code" <<<$'relation = sister\nalive = ?unknown'
  printf '\n   haneul$ godwit outbox\n'
  godwit haneul outbox | sed 's/^/     /' || true
  rm -f "$file"
  start_realms
  as haneul sync

  say "consent comes first, then a screening that caseworkers never see"
  as haneul consent "$code" share_unhcr=yes 'tracing=?refused'
  as haneul case stage "$code" screening
  refused nuri "nobody is accepted unscreened" case stage "$code" accepted
  facts nuri screening "$code" <<<$'state = clear\ngrounds = her account fits'
  as nuri case stage "$code" accepted

  say "an assessment and a plan, each approved by somebody else"
  facts haneul assessment add "$code" <<<$'risk = high\nsituation = alone since the winter'
  as haneul case ask "$code" assessment
  as dal today
  refused haneul "nobody approves their own" case assent "$code" assessment
  as dal case assent "$code" assessment
  as haneul case stage "$code" planning
  facts haneul plan add "$code" <<<$'goals[0].goal = a safe room\nactions[0].what = ask the doctor'
  as haneul case ask "$code" plan
  as dal case assent "$code" plan
  as nuri case stage "$code" ready
  as haneul service add "$code" type=health_medical status=completed 'amount=120.50 USD'

  say "two people write the same field at once, neither knowing of the other"
  need=$(godwit haneul need add "$code" --json --from - <<<$'code = sm\ndetail = a cough' | field id)
  godwit dal need list "$code" >/dev/null
  stop_service cases
  facts haneul need edit "$code" "$need" <<<"detail = asthma"
  facts dal need edit "$code" "$need" <<<"detail = a cold"
  start_realms
  as dal sync
  as haneul sync
  conflict=$(godwit haneul case show "$code" --json |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["conflicts"][0]["id"])')
  say "both values are kept until somebody chooses"
  as haneul case conflict "$code" "$conflict" other
  as dal need list "$code"

  say "handed over: the case by a coordinator, the rest by the supervisor, who never reads the person"
  as nuri case assign --to sora "$code"
  as dal case assign --to sora "$code"
  refused haneul "who handed a case over reads it no more" case show "$code"
  as sora person show "$code"

  say "closed by two"
  waits sora case close "$code" --reason goals_met --follow-up yes
  as nuri case close "$code"
  as sora case history "$code"
}

story() {
  admin=$bin/tools/admin/godwit-admin
  export GODWIT_HOME=$state/home
  mkdir -p -m 0700 "$GODWIT_HOME" "$state/files"
  if [[ -f $state/walked ]]; then
    read -ra ports <"$state/ports"
    step "three services, again"
    start_realms
    step "the board"
    as nuri sync
    as nuri board --limit 15
    look_next
    return
  fi
  [[ ! -d $state/pki-cases ]] || fail "an earlier walk did not end: ./quickstart --fresh begins again"
  read -ra ports <<<"$(free_ports 3)"
  echo "${ports[*]}" >"$state/ports"

  step "three realms that share nothing"
  local realm
  for realm in "${realms[@]}"; do prepare_realm "$realm"; done
  start_realms

  step "an organisation: who people are, how cases stand, and where they go are three rosters"
  found_organisation

  step "who may let others in is let in by two: both owners sign for each admin"
  admins >"$state/files/people.csv"
  joins minji seol "$state/files/people.csv"

  step "a grant by two: one admin asks for it, and nothing happens until the other signs"
  first_caseworker >"$state/files/people.csv"
  joins dana hana "$state/files/people.csv"
  people >"$state/files/people.csv"
  joins dana hana "$state/files/people.csv"
  as minji member list

  step "case files are imported by somebody who cannot read them afterwards"
  godwit imja org ledger make --json >"$state/files/ledgers"
  godwit minji sync >/dev/null
  local named=0
  godwit minji org ledger name \
    $(python3 -c 'import json,sys; l=json.load(open(sys.argv[1])); print(l["identity"], l["cases"])' \
      "$state/files/ledgers") | sed 's/^/     /' || named=$?
  [[ $named -eq 7 ]] || fail "two owners must sign the name of a ledger, and one was enough"
  as seol approve all --yes
  as imja import sample --out "$state/files/sample.csv" --mapping-out "$state/files/sample.toml" \
    --cases "$sample_cases" --seed 7 --caseworkers haneul,jun,sora --supervisors dal
  as imja import cases "$state/files/sample.csv" --mapping "$state/files/sample.toml" --dry-run
  as imja import cases "$state/files/sample.csv" --mapping "$state/files/sample.toml"

  step "the coordinator's board"
  as nuri sync
  as nuri board --limit 15

  step "how the organisation stands: what is missing, and who does it"
  as minji org doctor

  step "a caseworker opens one case and its person"
  godwit haneul sync >/dev/null
  local code
  code=$(godwit haneul case list --json | python3 -c '
import json, sys
text = sys.stdin.read()
try:
    cases = json.loads(text)
    cases = cases.get("cases", cases) if isinstance(cases, dict) else cases
except json.JSONDecodeError:
    cases = [json.loads(line) for line in text.splitlines() if line]
print(cases[0]["code"])')
  as haneul case show "$code"
  as haneul person show "$code"
  say "who else can read which part of it, computed from signed chains:"
  as haneul case who "$code"
  say "the same for others:"
  refused nuri "a coordinator reads no person" person show "$code"
  refused garam "a route coordinator reads no case" case show "$code"
  refused garam "a route coordinator reads no person" person show "$code"
  refused imja "who imported a case reads it no more" case show "$code"

  step "a case, from the first contact to its closure"
  work_on_a_case

  step "a device is lost"
  godwit jun sync >/dev/null
  say "jun's device works; now minji revokes it"
  as minji device revoke jun --reason lost --yes
  sleep 1
  refused jun "a revoked device's session is dead a second later" sync

  step "what the databases hold"
  local names
  mapfile -t names < <(python3 - "$state/files/sample.csv" <<'PY'
import csv, sys
texts = set()
with open(sys.argv[1], encoding="utf-8-sig", newline="") as f:
    for row in csv.DictReader(f):
        for column, value in row.items():
            if (column in ("성", "이름", "漢字", "Romanised", "別名", "Called", "Remarks") and value
                    and len(value.encode()) >= 6 and "\n" not in value):
                texts.add(value)
print(*sorted(texts), sep="\n")
PY
  )
  [[ ${#names[@]} -ge 10 ]] || fail "the sample file has too few names to look for"
  local hits
  hits=$(grep_databases "${names[@]}")
  say "grep for ${#names[@]} names of the file in every file of PostgreSQL: $hits found"
  [[ $hits -eq 0 ]] || fail "a name lies readable in a database"
  psql_value "CREATE TABLE control AS SELECT '${names[0]//\'/\'\'}'::text AS name"
  hits=$(grep_databases "${names[@]}")
  psql_value "DROP TABLE control"
  say "the same after one name was written in clear, as a control: $hits found"
  [[ $hits -gt 0 ]] || fail "the control was not found: the search proves nothing"

  touch "$state/walked"
  look_next
}

# Three services, and in them an organisation of invented people.
practice_story() {
  admin=$bin/tools/admin/godwit-admin
  export GODWIT_HOME=$state/home
  mkdir -p -m 0700 "$GODWIT_HOME" "$state/files"
  if [[ -f $state/made ]]; then
    read -ra ports <"$state/ports"
    step "three services, again"
    start_realms
  else
    [[ ! -d $state/pki-cases ]] ||
      fail "an earlier start did not end: ./quickstart --practice --fresh begins again"
    read -ra ports <<<"$(free_ports 3)"
    echo "${ports[*]}" >"$state/ports"
    step "three realms that share nothing"
    local realm arguments=() i=0
    for realm in "${realms[@]}"; do prepare_realm "$realm"; done
    start_realms
    step "a practice organisation: people and cases that are invented"
    for realm in "${realms[@]}"; do
      arguments+=(--realm "$realm=127.0.0.1:${ports[i]},$(pin_of "$realm"),$state/$realm.claim")
      i=$((i + 1))
    done
    "$bin/client/cli/godwit" org create --practice "${arguments[@]}" \
      --passphrase-fd 3 3< <(printf '%s' "$passphrase")
    rm -f "$state"/*.claim
    touch "$state/made"
  fi
  step "what to look at next"
  say "export GODWIT_HOME=$GODWIT_HOME"
  say "$bin/client/cli/godwit today --profile practice-haneul"
  say "docs/guide/practice.md goes on from here; the passphrase of everybody is: $passphrase"
}

look_next() {
  step "what to look at next"
  say "export GODWIT_HOME=$GODWIT_HOME"
  say "$bin/client/cli/godwit board --profile nuri          the coordinator's board"
  say "$bin/client/cli/godwit case list --profile haneul    a caseworker's cases"
  say "$bin/client/cli/godwit today --profile dal           what waits for a supervisor"
  say "$bin/client/cli/godwit status --profile haneul       what waits, what was refused"
  say "$bin/client/cli/godwit --help                        everything else"
  say "the passphrase of everybody here is: $passphrase"
}
