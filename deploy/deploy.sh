#!/usr/bin/env bash
# Deploys an image: puts the values into the manifest, replaces the service, waits until it is ready, and sends the traffic back to the
# revision before when it is not.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/deploy.sh [--render] ENVIRONMENT IMAGE COMMIT

  ENVIRONMENT   dev or prod
  IMAGE         the pushed image, with its tag or digest
  COMMIT        the commit that it was built from
  --render      print the manifest with its values and deploy nothing

Each ${NAME} in deploy/cloud-run.service.ENVIRONMENT.yaml is taken from the environment: GOOGLE_CLOUD_PROJECT and what else
differs by installation. Secrets stay in Secret Manager.
TEXT
}

render_only=false
case "${1:-}" in
  --help | -h) usage; exit 0 ;;
  --render) render_only=true; shift ;;
esac
if [ $# -ne 3 ]; then usage >&2; exit 2; fi
environment=$1
export IMAGE=$2 COMMIT_SHA=$3
here=$(cd "$(dirname "$0")" && pwd)
manifest=$here/cloud-run.service.$environment.yaml
if [ ! -f "$manifest" ]; then echo "there is no environment $environment: use dev or prod" >&2; exit 2; fi
# shellcheck source=/dev/null
. "$here/settings.$environment.env"

# The manifest with a value for each placeholder. Every one of them stands in single quotes.
render() {
  local text name value quote="'" missing=()
  text=$(grep -v '^#' "$manifest")
  for name in $(grep -o '\${[A-Z_]*}' <<<"$text" | tr -d '${}' | sort -u); do
    value=${!name:-}
    if [ -z "$value" ]; then missing+=("$name"); continue; fi
    if [[ $value == *$'\n'* ]]; then echo "$name has more than one line: give it on one" >&2; return 1; fi
    value=${value//$quote/$quote$quote}
    text=${text//"\${$name}"/"$value"}
  done
  if [ ${#missing[@]} -gt 0 ]; then
    echo "no value for ${missing[*]}: set them in the environment, or for Cloud Build as substitutions with _ in front" >&2
    return 1
  fi
  printf '%s\n' "$text"
}

rendered=$(render)
if [ "$render_only" = true ]; then printf '%s\n' "$rendered"; exit 0; fi
project=$GOOGLE_CLOUD_PROJECT

run() { gcloud run "$@" --region="$REGION" --project="$project" --quiet; }

# Asked of the list: it is empty before the first deployment, where describing would be an error.
serving() { run services list --filter="metadata.name=$SERVICE" --format='value(status.traffic[0].revisionName)'; }

# Whether the service answers 200 within the attempts that architecture.yaml gives it.
ready() {
  local url=$1 token attempt status
  # Before anybody may call it, whoever deploys still may.
  token=$(gcloud auth print-identity-token 2>/dev/null || true)
  for ((attempt = 1; attempt <= SMOKE_ATTEMPTS; attempt++)); do
    status=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
      curl --config - --silent --output "$answer" --write-out '%{http_code}' --max-time "$SMOKE_TIMEOUT_SECONDS" "$url$SMOKE_PATH" || true)
    echo "$SMOKE_PATH: $status $(head -c 500 "$answer")"
    if [ "$status" = 200 ]; then return 0; fi
    if [ "$attempt" -lt "$SMOKE_ATTEMPTS" ]; then sleep "$SMOKE_PERIOD_SECONDS"; fi
  done
  return 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
answer=$work/answer
: >"$answer"
printf '%s\n' "$rendered" >"$work/service.yaml"

previous=$(serving)
echo "deploying $IMAGE to $SERVICE; serving now: ${previous:-nothing}"
if ! run services replace "$work/service.yaml"; then
  echo "the new revision did not start: ${previous:-nothing} serves on. Its log says why" >&2
  exit 1
fi
url=$(run services describe "$SERVICE" --format='value(status.url)')
if ready "$url"; then
  echo "$(serving) of $SERVICE is ready at $url"
  exit 0
fi
if [ -z "$previous" ]; then
  echo "$SERVICE is not ready, and there is no revision to go back to" >&2
  exit 1
fi
echo "$SERVICE is not ready: going back to $previous" >&2
run services update-traffic "$SERVICE" --to-revisions="$previous=100"
exit 1
