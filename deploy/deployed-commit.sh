#!/usr/bin/env bash
# Prints the commit that the serving revision was built from. Prints nothing where there is none, or where it is no ancestor of HEAD:
# then everything has changed.
set -euo pipefail
if [ $# -ne 2 ]; then echo "Usage: $0 ENVIRONMENT PROJECT_ID" >&2; exit 2; fi
here=$(cd "$(dirname "$0")" && pwd)
settings=$here/settings.$1.env
if [ ! -f "$settings" ]; then echo "there is no environment $1: use dev or prod" >&2; exit 2; fi
# shellcheck source=/dev/null
. "$settings"

run() { gcloud run "$@" --region="$REGION" --project="$project" --quiet; }
project=$2

revision=$(run services list --filter="metadata.name=$SERVICE" --format='value(status.traffic[0].revisionName)')
if [ -z "$revision" ]; then exit 0; fi
commit=$(run revisions describe "$revision" --format='value(metadata.labels.commit-sha)')
if [ -n "$commit" ] && git merge-base --is-ancestor "$commit" HEAD 2>/dev/null; then echo "$commit"; fi
