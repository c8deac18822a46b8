#!/usr/bin/env bash
# Checks everything, from a fresh clone: install, workspace sync, format, what is generated, conventions, lint, types, tests, build,
# integration tests, end-to-end tests. Stops at the first step that fails, and names the tests that did. Ends with `N passed, N failed` over all suites.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: ./validate_deliverable.sh [--skip-install] [--affected BASE]

  --skip-install    use the node_modules that are there instead of running npm ci
  --affected BASE   only the projects that the commits since BASE touch, and those that depend on them
  --help            this text

Integration and end-to-end tests start Google's Pub/Sub and Firestore emulators (java and the Google Cloud CLI's emulator
components). Where they are missing those suites are left out, saying so; with CI=true that is a failure.

A step of Nx that takes longer than half an hour is ended; Nx then names what was still at work.
TEXT
}

install=true
base=
while [ $# -gt 0 ]; do
  case "$1" in
    --skip-install) install=false ;;
    --affected)
      [ $# -ge 2 ] || { echo "--affected needs a commit or branch to compare with" >&2; exit 2; }
      base=$2
      shift
      ;;
    --help | -h) usage; exit 0 ;;
    *) echo "unknown option: $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

cd "$(dirname "$0")"
export NX_DAEMON=false NX_NO_CLOUD=true METADATA_SERVER_DETECTION=none
if [ -n "$base" ] && ! git rev-parse --verify --quiet "$base^{commit}" >/dev/null; then
  echo "--affected: $base is no commit of this clone; fetch the whole history (git fetch --unshallow)" >&2
  exit 2
fi
current='starting'
finished=false

# Finds what the suites wrote to their test-output folders.
outputs() {
  local kind=$1
  shift
  find apps libs tools -name "*.$kind" -path '*/test-output/*' -not -path '*/node_modules/*' "$@"
}

# Adds up what every suite wrote to its test-output folder.
summary() {
  outputs summary.json -print0 |
    xargs -0 cat 2>/dev/null |
    awk -F'[:,}]' -v outcome="$1" '
      { passed += $2; failed += $4; skipped += $6 }
      END {
        if (outcome != "ok" && failed == 0) failed = 1
        printf "%d passed, %d failed", passed, failed
        if (skipped > 0) printf ", %d skipped", skipped
        print ""
      }'
}

finish() {
  if [ "$finished" = true ]; then
    summary ok
  else
    echo
    echo "FAILED at: $current"
    outputs failures.txt -exec sed 's/^/  /' {} +
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

# Runs targets of all projects, or of the affected ones. What hangs is ended after half an hour, and Nx names it.
targets() {
  # Not through npx, which would keep the signal to itself.
  local nx=(node_modules/.bin/nx) limit=(timeout --verbose --foreground --kill-after=1m 30m)
  # macOS has no timeout, and BusyBox's knows no such options.
  if "${limit[@]}" true 2>/dev/null; then nx=("${limit[@]}" "${nx[@]}"); fi
  if [ -n "$base" ]; then
    "${nx[@]}" affected --base="$base" --head=HEAD --output-style=static "$@"
  else
    "${nx[@]}" run-many --output-style=static "$@"
  fi
}

outputs summary.json -delete
outputs failures.txt -delete
if [ "$install" = true ]; then step install npm ci; fi
step sync npx nx sync:check
step format npx prettier --check --log-level warn .
step generated npx nx run workspace-plugin:generated
step conformance npx nx run workspace-plugin:conformance
step lint targets -t lint
step typecheck targets -t typecheck
step contract targets -t contract contract-compat
step test targets -t test
step build targets -t build
step image bash -c 'npx nx build ingress-egress && node tools/image/check.mjs'
step integration targets -t integration --parallel=1
step end-to-end targets -t e2e --parallel=1
finished=true
