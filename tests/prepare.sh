# What the test scripts ask of the machine. Sourced; the caller has set `root` to the top of the clone.
# shellcheck shell=bash

say() { echo "${BASH_SOURCE[-1]#"$root"/}: $*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# need COMMAND=PACKAGE …: installs, by apt-get, the packages of those commands that are not here, and nothing else.
need() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null 2>&1 || { say "missing: ${missing[*]}; this machine has no apt-get, please install them"; return 1; }
  say "installing ${missing[*]}"
  if ! apt_install "${missing[@]}"; then
    # No package lists, or old ones.
    as_root apt-get update -qq >&2
    apt_install "${missing[@]}" || { say "could not install ${missing[*]}"; return 1; }
  fi
  # The tests start servers of their own, on free ports; what Debian starts by itself only holds memory and a port.
  local package
  for package in "${missing[@]}"; do
    case $package in redis-server | haproxy | nginx-light) as_root service "${package%-light}" stop >/dev/null 2>&1 || true ;; esac
  done
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$install_log" 2>&1 </dev/null \
    || { tail -3 "$install_log" >&2; return 1; }
}
install_log=$(mktemp)

# A TCP port of the loopback that nobody listens on.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# until_true SECONDS COMMAND …: fails if the command has not succeeded by then.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# Where cargo puts what it builds, whatever says so: a variable, a configuration file, or nobody.
target_directory() {
  cargo metadata --manifest-path "$root/Cargo.toml" --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# seed DIRECTORY: what is built already of the packages of others goes into that target directory too, so that it is not built twice. Our
# own is not taken along: cargo tells a package by where it lies in its workspace, so it would take this source for the other one.
seed() {
  local debug part
  debug=$(target_directory)/debug
  mkdir -p "$1/debug"
  for part in .fingerprint build deps; do
    [ ! -d "$debug/$part" ] || tar -C "$debug" --exclude='*swagger[-_]api[-_]agent-*' --exclude='deps/it-*' -c "$part" | tar -C "$1/debug" -x
  done
}

# Prints the path of the release binary: SERVICE_BINARY if that names one, else the one built now.
service_binary() {
  if [ -n "${SERVICE_BINARY:-}" ]; then
    [ -x "$SERVICE_BINARY" ] || { say "SERVICE_BINARY=$SERVICE_BINARY is not a program"; return 1; }
    realpath "$SERVICE_BINARY"
    return
  fi
  say "building the release binary"
  cargo build --manifest-path "$root/Cargo.toml" --release --locked --bin swagger-api-agent >&2 || return 1
  echo "$(target_directory)/release/swagger-api-agent"
}

# Prints the path of a program that is not optimised: SERVICE_BINARY if that names one, else the one built now.
debug_binary() {
  if [ -n "${SERVICE_BINARY:-}" ]; then realpath "$SERVICE_BINARY"; return; fi
  command -v cargo >/dev/null || { say "cargo is missing: https://rustup.rs"; return 1; }
  say "building the service"
  cargo build --manifest-path "$root/Cargo.toml" --locked --quiet --bin swagger-api-agent >&2 || return 1
  echo "$(target_directory)/debug/swagger-api-agent"
}

# check SENTENCE COMMAND …: says whether the command succeeds, and counts it in `passed` or `failed`.
check() {
  local sentence=$1
  shift
  if "$@"; then passed=$((passed + 1)); echo "  ok    $sentence"; else failed=$((failed + 1)); echo "  FAIL  $sentence"; fi
}
