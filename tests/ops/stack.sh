# Replicas of the service and servers of Redis for the scripts beside this one, on free ports of the loopback. Sourced, after
# tests/prepare.sh; the caller has set `root`.
# shellcheck shell=bash

work=$(mktemp -d)
pids=()
passed=0
failed=0
finish() {
  local code=$?
  set +e
  if [ "$failed" -gt 0 ] || [ "$code" -ne 0 ]; then
    for log in "$work"/*.log; do echo "--- $(basename "$log")"; grep -v '"level":"INFO"' "$log" | tail -15; done
  fi
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
  wait 2>/dev/null
  rm -rf "$work" "$install_log"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

password=$(random_hex 12)

# start_redis PORT DIRECTORY ARGUMENT …: sets redis_pid; its log is DIRECTORY.log.
start_redis() {
  local port=$1 directory=$2
  shift 2
  mkdir -p "$directory"
  redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$directory" "$@" >"$directory.log" 2>&1 &
  redis_pid=$!
  pids+=("$redis_pid")
}

declare -A running
ready() { [ "$(curl -s -o "$work/ready" -w '%{http_code}' "http://127.0.0.1:$1/health/ready")" = 200 ]; }
# start PORT VARIABLE=VALUE …: a replica with these settings and no others.
start() {
  local port=$1
  shift
  (cd "$work" && exec env -i PATH="$PATH" HOME="$work" SAA_SERVER__PORT="$port" SAA_ADMIN__LISTEN=off SAA_SERVER__DRAIN_NOTICE_MS=1500 \
    SAA_LOG__FORMAT=json SAA_LIMITS__REQUESTS_PER_MINUTE=4000000 SAA_LIMITS__TURNS_PER_MINUTE=4000000 \
    WEB_API_USERNAME=admin WEB_API_PASSWORD="$password" "$@" "$program" serve) >>"$work/replica-$port.log" 2>&1 &
  running[$port]=$!
  pids+=($!)
  until_true 60 ready "$port" || { say "the replica at $port is not ready"; return 1; }
}
# stop PORT: as an orchestrator does.
stop() {
  kill -TERM "${running[$1]}"
  wait "${running[$1]}" || true
}

# ask PORT TOKEN METHOD PATH [BODY]: sets status and body.
ask() {
  status=$(curl -s --max-time 20 -X "$3" -o "$work/body" -w '%{http_code}' -H "Authorization: Bearer $2" -H 'Content-Type: application/json' \
    ${5:+--data "$5"} "http://127.0.0.1:$1$4") || true
  body=$(cat "$work/body" 2>/dev/null)
}
field() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" <<<"$body"; } # NAME: of the body
# log_in PORT NAME: sets token and refresh.
log_in() {
  ask "$1" none POST /api/login "{\"username\":\"$2\",\"password\":\"$password\"}"
  token=$(field token)
  refresh=$(field refresh_token)
  status_is 200
}
status_is() { [ "$status" = "$1" ] || { echo "        got $status: ${body:0:200}"; false; }; }
# add_user PORT TOKEN NAME: by the administrator's token.
add_user() {
  ask "$1" "$2" POST /api/admin/users "{\"username\":\"$3\",\"password\":\"$password\"}"
  status_is 201
}
