# What the tests in a browser need: node, Chromium, and packages of npm. Sourced, after tests/prepare.sh; the caller has set `root`.
# shellcheck shell=bash

skip() {
  echo "SKIPPED ${0#"$root"/tests/}: $*"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}
chromium_here() { CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome); }

# browser_tests DIRECTORY: puts the tests there, beside the packages that they need, and sets CHROMIUM; or skips all of them.
browser_tests() {
  command -v node >/dev/null && command -v npm >/dev/null || skip "node and npm are missing"
  chromium_here || { need chromium=chromium && chromium_here; } || skip "Chromium could not be installed"
  cp -r "$root"/tests/console/{*.mjs,*.json,story} "$1/"
  (cd "$1" && npm install --no-audit --no-fund --no-package-lock --silent) >"$1/npm" 2>&1 || skip "the packages could not be installed: $(tail -1 "$1/npm")"
}

# The directory of CONSOLE_SCREENSHOTS, if pictures are wanted.
pictures_place() {
  [ -z "${CONSOLE_SCREENSHOTS:-}" ] || { mkdir -p "$CONSOLE_SCREENSHOTS" && CONSOLE_SCREENSHOTS=$(realpath "$CONSOLE_SCREENSHOTS") && export CONSOLE_SCREENSHOTS; }
}
