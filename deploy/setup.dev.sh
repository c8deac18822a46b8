#!/usr/bin/env bash
# Generated from architecture.yaml: change it there, then run `npx nx run workspace-plugin:generate`.
# Makes what the environment dev needs at Google Cloud. Repeating it changes nothing. Neither asks for nor writes a secret.
set -euo pipefail
if [ $# -ne 1 ]; then
  echo "Usage: $0 PROJECT_ID" >&2
  exit 2
fi
project=$1
region=europe-west1

account() { present gcloud iam service-accounts describe "$1@$project.iam.gserviceaccount.com" --project="$project" || gcloud iam service-accounts create "$1" --project="$project"; }
topic() { present gcloud pubsub topics describe "$1" --project="$project" || gcloud pubsub topics create "$1" --project="$project"; }
subscription() {
  local name=$1 topic=$2
  shift 2
  present gcloud pubsub subscriptions describe "$name" --project="$project" ||
    gcloud pubsub subscriptions create "$name" --topic="$topic" --enable-message-ordering --ack-deadline=20 --min-retry-delay=1s --max-retry-delay=60s --expiration-period=never --message-retention-duration=7d "$@" --project="$project"
}
secret() { present gcloud secrets describe "$1" --project="$project" || gcloud secrets create "$1" --replication-policy=automatic --project="$project"; }
without_version() { [ -z "$(gcloud secrets versions list "$1" --filter=state=enabled --limit=1 --format='value(name)' --project="$project")" ]; }
# What of a kind, its name, who, may do what, further options.
grant() {
  local kind=$1 name=$2 member=$3 role=$4
  shift 4
  # Word by word: the kind is the command's name.
  # shellcheck disable=SC2086
  gcloud $kind add-iam-policy-binding "$name" --member="$member" --role="$role" "$@" --project="$project" --format=none --quiet
}
# Whether what the command asks for is there.
present() { "$@" >/dev/null 2>&1; }

# --- APIs ---
gcloud services enable artifactregistry.googleapis.com cloudbuild.googleapis.com firestore.googleapis.com iam.googleapis.com logging.googleapis.com pubsub.googleapis.com run.googleapis.com secretmanager.googleapis.com --project="$project"
number=$(gcloud projects describe "$project" --format='value(projectNumber)')

# --- Accounts ---
account ingress-egress-dev
account ingress-egress-deployer-dev

# --- Images and state ---
present gcloud artifacts repositories describe bitbrat --location="$region" --project="$project" ||
  gcloud artifacts repositories create bitbrat --repository-format=docker --location="$region" --project="$project"
present gcloud firestore databases describe --database='(default)' --project="$project" ||
  gcloud firestore databases create --database='(default)' --type=firestore-native --location="$region" --project="$project"

# --- Topics and subscriptions ---
topic dev.internal.ingress.v1
topic dev.internal.egress.v1.ingress-egress-dev
topic dev.internal.egress.outcome.v1
topic dev.internal.connector.status.v1
topic dev.internal.deadletter.v1
topic dev.internal.egress.undelivered.v1
subscription dev.internal.egress.v1.ingress-egress-dev dev.internal.egress.v1.ingress-egress-dev --dead-letter-topic=dev.internal.egress.undelivered.v1 --max-delivery-attempts=100
subscription dev.internal.deadletter.v1.desk dev.internal.deadletter.v1
subscription dev.internal.ingress.v1.echo-bot dev.internal.ingress.v1
subscription dev.internal.egress.undelivered.v1.kept dev.internal.egress.undelivered.v1
# Pub/Sub itself moves what cannot be delivered.
present gcloud beta services identity create --service=pubsub.googleapis.com --project="$project" || true
grant 'pubsub topics' dev.internal.egress.undelivered.v1 "serviceAccount:service-$number@gcp-sa-pubsub.iam.gserviceaccount.com" roles/pubsub.publisher
grant 'pubsub subscriptions' dev.internal.egress.v1.ingress-egress-dev "serviceAccount:service-$number@gcp-sa-pubsub.iam.gserviceaccount.com" roles/pubsub.subscriber

# --- Secrets, without values ---
secret ingress-egress-debug-token-dev
secret twilio-auth-token-dev
secret twilio-api-secret-dev

# --- What the service may do ---
# publish envelopes, outcomes, states and dead letters
grant 'pubsub topics' dev.internal.ingress.v1 "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/pubsub.publisher
grant 'pubsub topics' dev.internal.egress.outcome.v1 "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/pubsub.publisher
grant 'pubsub topics' dev.internal.connector.status.v1 "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/pubsub.publisher
grant 'pubsub topics' dev.internal.deadletter.v1 "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/pubsub.publisher
# replay dead letters
grant 'pubsub topics' dev.internal.egress.v1.ingress-egress-dev "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/pubsub.publisher
# read its own subscriptions
grant 'pubsub subscriptions' dev.internal.egress.v1.ingress-egress-dev "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/pubsub.subscriber
grant 'pubsub subscriptions' dev.internal.deadletter.v1.desk "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/pubsub.subscriber
grant 'pubsub subscriptions' dev.internal.ingress.v1.echo-bot "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/pubsub.subscriber
# see whether a subscription fits its topic
grant 'pubsub subscriptions' dev.internal.egress.v1.ingress-egress-dev "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/pubsub.viewer
grant 'pubsub subscriptions' dev.internal.deadletter.v1.desk "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/pubsub.viewer
grant 'pubsub subscriptions' dev.internal.ingress.v1.echo-bot "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/pubsub.viewer
# keep cursors in Firestore
grant projects "$project" "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/datastore.user --condition=None
# read the secrets that are its own
grant secrets ingress-egress-debug-token-dev "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/secretmanager.secretAccessor
grant secrets twilio-auth-token-dev "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/secretmanager.secretAccessor
grant secrets twilio-api-secret-dev "serviceAccount:ingress-egress-dev@$project.iam.gserviceaccount.com" roles/secretmanager.secretAccessor

# --- What the deployer may do ---
# replace the service and move its traffic
grant projects "$project" "serviceAccount:ingress-egress-deployer-dev@$project.iam.gserviceaccount.com" roles/run.developer --condition=None
# start the service as its service account
grant 'iam service-accounts' "ingress-egress-dev@$project.iam.gserviceaccount.com" "serviceAccount:ingress-egress-deployer-dev@$project.iam.gserviceaccount.com" roles/iam.serviceAccountUser
# push the image
grant 'artifacts repositories' bitbrat "serviceAccount:ingress-egress-deployer-dev@$project.iam.gserviceaccount.com" roles/artifactregistry.writer --location="$region"
# write the log of the build
grant projects "$project" "serviceAccount:ingress-egress-deployer-dev@$project.iam.gserviceaccount.com" roles/logging.logWriter --condition=None

# --- What is left to do ---
for name in ingress-egress-debug-token-dev twilio-auth-token-dev twilio-api-secret-dev; do
  if without_version "$name"; then
    echo "secret $name has no value yet: read -rs value && printf %s \"\$value\" | gcloud secrets versions add $name --data-file=- --project=$project"
  fi
done
if present gcloud run services describe ingress-egress-dev --region="$region" --project="$project"; then
  # Platforms send webhooks without a Google identity; each is signed.
  grant 'run services' ingress-egress-dev allUsers roles/run.invoker --region="$region"
else
  echo "ingress-egress-dev is not deployed yet: run this again after the first deployment, so that webhooks reach it"
fi
