# The engine and the image for the scripts beside this one. Sourced, after tests/prepare.sh; the caller has set `root`.
# shellcheck shell=bash

own_engine=
# Finds the engine that answers; if none does, starts the one of LOCAL_IMAGES (default ../shared/tools/local-images), if there is that.
engine() {
  if docker info >/dev/null 2>&1; then return; fi
  local tool=${LOCAL_IMAGES:-$root/../shared/tools/local-images} settings
  [ -x "$tool" ] && [ "$(id -u)" = 0 ] || return 1
  say "no Docker engine answers; starting one with $(basename "$tool")"
  settings=$("$tool" up) || return 1
  eval "$settings"
  own_engine=$tool
  docker info >/dev/null 2>&1
}
# engine_or_skip WHAT: ends the script, loudly and without a failure, where there is no engine. Sets compose_command.
engine_or_skip() {
  if ! engine; then
    echo
    echo "SKIPPED $1: no Docker engine answers here, so it was NOT tried. Start Docker and run $(basename "$(dirname "$0")")/$(basename "$0")."
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
  fi
  if docker compose version >/dev/null 2>&1; then compose_command=(docker compose); else need docker-compose=docker-compose; compose_command=(docker-compose); fi
}
end_engine() { [ -z "$own_engine" ] || "$own_engine" down; }

build() { docker build --network host "$@" >"$work/build.log" 2>&1 || { tail -30 "$work/build.log" >&2; return 1; }; }
# image_of_binary IMAGE: the program (the release's, unless SERVICE_BINARY names another) on the image's last stage but one, which takes
# seconds where building all takes minutes.
image_of_binary() {
  local binary
  binary=$(service_binary)
  need strip=binutils
  build --target base -f "$root/deploy/Dockerfile" -t "$1-base" "$root"
  mkdir "$work/context"
  # As a release is: without its symbols, which an engine would carry about for nothing.
  strip -o "$work/context/swagger-api-agent" "$binary"
  printf 'FROM %s\nCOPY swagger-api-agent /usr/local/bin/swagger-api-agent\n' "$1-base" >"$work/context/Dockerfile"
  build -t "$1" "$work/context"
}
