#!/usr/bin/env bash
# Checks everything, from a fresh clone: install, workspace sync, format, lint, types, unit tests, build, integration
# tests, end-to-end tests. Stops at the first step that fails. Ends with `N passed, N failed` over all suites.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: ./validate_deliverable.sh [--skip-install]

  --skip-install   use the node_modules that are there instead of running npm ci
  --help           this text

Integration and end-to-end tests start Google's Pub/Sub emulator (java and the Google Cloud CLI's emulator component).
Where it is missing they are left out, saying so; with CI=true that is a failure.
TEXT
}

install=true
for argument in "$@"; do
  case "$argument" in
    --skip-install) install=false ;;
    --help | -h) usage; exit 0 ;;
    *) echo "unknown option: $argument" >&2; usage >&2; exit 2 ;;
  esac
done

cd "$(dirname "$0")"
export NX_DAEMON=false NX_NO_CLOUD=true METADATA_SERVER_DETECTION=none
current='starting'
finished=false

# Adds up what every suite wrote to its test-output folder.
summary() {
  node -e '
    const { readFileSync } = require("node:fs");
    const { execFileSync } = require("node:child_process");
    const files = execFileSync("find", ["apps", "libs", "tools", "-name", "*.summary.json", "-path", "*/test-output/*", "-not", "-path", "*/node_modules/*"], { encoding: "utf8" }).split("\n").filter(Boolean);
    const total = { passed: 0, failed: 0, skipped: 0 };
    for (const file of files) {
      const suite = JSON.parse(readFileSync(file, "utf8"));
      for (const key of Object.keys(total)) total[key] += suite[key];
    }
    if (process.argv[1] !== "ok" && total.failed === 0) total.failed = 1;
    const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
    console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  ' "$1"
}

finish() {
  if [ "$finished" = true ]; then
    summary ok
  else
    echo
    echo "FAILED at: $current"
    summary failed
  fi
}
trap finish EXIT

step() {
  current=$1
  shift
  echo
  echo "==> $current: $*"
  local started=$SECONDS
  "$@"
  echo "    $current: $((SECONDS - started)) s"
}

find apps libs tools -name '*.summary.json' -path '*/test-output/*' -not -path '*/node_modules/*' -delete
if [ "$install" = true ]; then step install npm ci; fi
step sync npx nx sync:check
step format npx prettier --check --log-level warn .
step lint npx nx run-many -t lint
step typecheck npx nx run-many -t typecheck
step test npx nx run-many -t test
step build npx nx run-many -t build
step affected node tools/check-affected.mjs
step integration npx nx run-many -t integration --parallel=1
step end-to-end npx nx run-many -t e2e --parallel=1
finished=true
