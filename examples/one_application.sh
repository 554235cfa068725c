#!/usr/bin/env bash
# One application by hand: a property transfer from registration to rating, against a running `make up`.
# Usage: examples/one_application.sh [http://127.0.0.1:8000]   (needs bash, curl and Tongban's own virtual environment)
set -euo pipefail
here=${1:-http://127.0.0.1:${TONGBAN_PORT:-8000}}
bin=${TONGBAN_BIN:-.venv/bin}

token() { "$bin/tongban" token --role "$1" --subject "$2" ${3:+--department "$3"}; }
# give COMMAND…: its answer in `answer`; a refusal is shown.
give() { answer=$("$@") || { echo "$answer" >&2; exit 1; }; echo "$answer"; }
field() { "$bin/python" -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
new_key() { "$bin/python" -c 'import uuid; print(uuid.uuid4())'; }
# command NAME BODY TOKEN: each command has a new Idempotency-Key; the same key again would give the same answer.
command_() {
  curl --silent --show-error --fail-with-body "$here/commands/$1" --data "$2" \
    -H "Authorization: Bearer $3" -H "Idempotency-Key: $(new_key)" -H 'Content-Type: application/json'
}
query() {
  curl --silent --show-error --get "$here/graphql" -H "Authorization: Bearer $2" --data-urlencode "query=$1"
  echo
}

echo 'A clerk registers a person (an identifier that is known already gives that person back):'
give command_ RegisterParty \
  '{"kind":"PERSON","identifier_kind":"CITIZEN_ID","identifier":"11010519491231002X","name":"张三"}' \
  "$(token clerk clerk-1)"
party=$(echo "$answer" | field id)
citizen=$(token citizen "$party")

echo 'The person uploads a paper, which is named by what is in it:'
give curl --silent --show-error --fail-with-body "$here/uploads" --data-binary 'Contract of sale' \
  -H "Authorization: Bearer $citizen" -H 'Content-Type: text/plain'
paper=$(echo "$answer" | field ref)

echo 'The person files (items, departments and materials: tongban/data/catalogue.json, or GraphQL items):'
give command_ SubmitApplication \
  '{"item":"property-transfer","applicant":"'"$party"'","channel":"WEB","form":{"address":"世纪大道 1 号"},
    "materials":[{"material":"form","how":"FORM_PREFILL"},{"material":"sale-contract","how":"UPLOAD","ref":"'"$paper"'"},
      {"material":"id-card","how":"E_LICENCE"},{"material":"property-cert","how":"E_LICENCE"},
      {"material":"tax-clearance","how":"DATA_SHARING"}]}' \
  "$citizen"
case_id=$(echo "$answer" | field id)

echo 'The lead department (nr) accepts; its branches give their opinions in any order:'
command_ AcceptApplication '{"case_id":"'"$case_id"'"}' "$(token acceptor acceptor-1 nr)"; echo
for branch in tax nr housing; do
  command_ RecordOpinion '{"case_id":"'"$case_id"'","branch":"'$branch'","opinion":"PASS","text":"同意"}' \
    "$(token reviewer "reviewer-$branch" $branch)"; echo
done

echo 'The fee is paid before anything is issued:'
command_ RecordPayment '{"case_id":"'"$case_id"'","amount":"80.00","provider_ref":"PAY-1"}' "$(token clerk clerk-1)"; echo

echo 'Another officer than the acceptor decides, and the licence is issued:'
decider=$(token decider decider-1 nr)
command_ GrantApproval '{"case_id":"'"$case_id"'","text":"准予登记"}' "$decider"; echo
command_ IssueLicence '{"case_id":"'"$case_id"'","face":{"坐落":"世纪大道 1 号"}}' "$decider"; echo

echo 'The person rates it (1 best … 5 worst), and looks at the homepage:'
command_ RateCase '{"case_id":"'"$case_id"'","grade":1,"text":"很快"}' "$citizen"; echo
sleep 1
query '{me{name cases(first:5){edges{node{number state item{name} rating{grade}}}} licences(first:5){edges{node{number typeName}}}}}' \
  "$citizen"
query "{case(id:\"$case_id\"){number state branches{departmentName opinion} timeline(first:20){edges{node{type effectiveAt}}}}}" \
  "$citizen"

echo "Step by step: $bin/tongban replay $case_id"
