#!/usr/bin/env bash
# A tour with curl alone: log in, ask, call, watch, more sessions, begin anew, log out.
#
#   AGENT_PASSWORD=… examples/curl/tour.sh
set -euo pipefail
url=${AGENT_URL:-http://localhost:5000}
user=${AGENT_USER:-admin}
password=${AGENT_PASSWORD:?set it to the password of $user}

# api PATH [ARGUMENTS OF CURL …]: one request of the user who is logged in.
api() { curl -sS "$url$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "${@:2}"; }
# field NAME: a text in an answer.
field() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
# so SENTENCE TEXT PART: says the sentence if the text has that part, or ends.
so() {
  case $2 in
    *"$3"*) echo "  ok    $1" ;;
    *) echo "not so: $1: $2" >&2; exit 1 ;;
  esac
}

login=$(curl -sS "$url/api/login" -H 'Content-Type: application/json' -d "{\"username\":\"$user\",\"password\":\"$password\"}")
so "logged in" "$login" '"success":true'
token=$(field token <<<"$login")

so "the service is well" "$(curl -sS "$url/health")" '"status":"healthy"'
so "its functions are the API's operations" "$(api /api/functions)" '"name":"listUsers"'

# A session of one's own for the tour, so that the usual one stays as it is.
session=$(api /api/sessions -d '{"title":"A tour"}' | field id)
in_tour() { api "$1" -H "X-Session-Id: $session" "${@:2}"; }

answer=$(in_tour /api/process -d '{"message":"list users page 2"}')
so "a sentence becomes a call" "$answer" '"function_name":"listUsers"'
so "in Chinese as well" "$(in_tour /api/process -d '{"message":"查询所有订单"}')" '"function_name":"listOrders"'
run=$(field run_id <<<"$answer")
so "what was done can be looked up" "$(api "/api/runs/$run")" '"state":"answered"'

so "an operation is called directly" "$(in_tour /api/call -d '{"function_name":"getUser","parameters":{"user_id":3}}')" '"status_code":200'
so "wrong parameters are all told" "$(in_tour /api/call -d '{"function_name":"getUser","parameters":{"user_id":"x","y":1}}')" '"code":"invalid_parameters"'
so "and a wrong name with one that is near" "$(in_tour /api/call -d '{"function_name":"listUser"}')" '"near":["listUsers"]'

watched=$(in_tour '/api/process?stream=1' -N -d '{"message":"list the products"}')
so "a turn is watched" "$watched" 'event: call_finished'
so "to its end" "$watched" 'event: done'

so "the conversation is remembered" "$(in_tour '/api/history?limit=6')" '"content":"list users page 2"'
so "sentences come in one's language" "$(in_tour /api/call -H 'Accept-Language: zh-CN' -d '{"function_name":"listUser"}')" '不存在'

anew=$(in_tour /api/session/reset -X POST)
so "begun anew, the session is empty" "$anew" '"conversation_length":0'
so "and has another id, by which it is ended" "$(api "/api/sessions/$(field session_id <<<"$anew")" -X DELETE)" '"success":true'

so "logged out" "$(api /api/logout -X POST)" '"success":true'
so "the token is good for nothing now" "$(api /api/session/info)" '"code":"token_revoked"'
