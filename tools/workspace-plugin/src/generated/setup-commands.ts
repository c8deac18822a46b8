import { type Architecture, type ServiceAccount } from '../architecture/architecture.js';
import {
  type DeployedEnvironment,
  type EnvironmentName,
  resolveEnvironment,
} from '../architecture/deployed-environment.js';
import { GENERATED_BY } from './yaml-text.js';

const APIS = [
  'artifactregistry',
  'cloudbuild',
  'firestore',
  'iam',
  'logging',
  'pubsub',
  'run',
  'secretmanager',
];

/** Retention and redelivery as the service itself would ask for (libs/message-bus/src/pubsub/pubsub-admin.ts). */
const SUBSCRIPTION_OPTIONS =
  '--enable-message-ordering --ack-deadline=20 --min-retry-delay=1s --max-retry-delay=60s --expiration-period=never --message-retention-duration=7d';

const FUNCTIONS = `account() { present gcloud iam service-accounts describe "$1@$project.iam.gserviceaccount.com" --project="$project" || gcloud iam service-accounts create "$1" --project="$project"; }
topic() { present gcloud pubsub topics describe "$1" --project="$project" || gcloud pubsub topics create "$1" --project="$project"; }
subscription() {
  local name=$1 topic=$2
  shift 2
  present gcloud pubsub subscriptions describe "$name" --project="$project" ||
    gcloud pubsub subscriptions create "$name" --topic="$topic" ${SUBSCRIPTION_OPTIONS} "$@" --project="$project"
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
present() { "$@" >/dev/null 2>&1; }`;

/**
 * A script that makes all that an environment needs before the service is deployed, and gives each account no more
 * than it needs. Repeating it changes nothing.
 */
export function renderSetupCommands(architecture: Architecture, name: EnvironmentName): string {
  const environment = resolveEnvironment(architecture, name);
  const sections = [
    ['APIs', enableApis()],
    ['Accounts', [`account ${environment.account}`, `account ${environment.deployer}`]],
    ['Images and state', storageCommands(environment)],
    ['Topics and subscriptions', busCommands(architecture, environment)],
    ['Secrets, without values', environment.secrets.map(({ secret }) => `secret ${secret}`)],
    ['What the service may do', grants(architecture, environment, environment.account, 'serviceAccount')],
    ['What the deployer may do', grants(architecture, environment, environment.deployer, 'deployer')],
    ['What is left to do', closing(environment)],
  ] as const;
  const body = sections.map(([title, lines]) => [`# --- ${title} ---`, ...lines].join('\n'));
  return [head(environment), ...body].join('\n\n') + '\n';
}

function head({ deployment, name }: DeployedEnvironment): string {
  return `#!/usr/bin/env bash
# ${GENERATED_BY}
# Makes what the environment ${name} needs at Google Cloud. Repeating it changes nothing. Neither asks for nor writes a secret.
set -euo pipefail
if [ $# -ne 1 ]; then
  echo "Usage: $0 PROJECT_ID" >&2
  exit 2
fi
project=$1
region=${deployment.region}

${FUNCTIONS}`;
}

function enableApis(): string[] {
  return [
    `gcloud services enable ${APIS.map((api) => `${api}.googleapis.com`).join(' ')} --project="$project"`,
    // Known only once the project can be asked for it.
    `number=$(gcloud projects describe "$project" --format='value(projectNumber)')`,
  ];
}

function storageCommands({ deployment }: DeployedEnvironment): string[] {
  const { repository } = deployment.build;
  return [
    `present gcloud artifacts repositories describe ${repository} --location="$region" --project="$project" ||`,
    `  gcloud artifacts repositories create ${repository} --repository-format=docker --location="$region" --project="$project"`,
    `present gcloud firestore databases describe --database='(default)' --project="$project" ||`,
    `  gcloud firestore databases create --database='(default)' --type=firestore-native --location="$region" --project="$project"`,
  ];
}

function busCommands({ topics }: Architecture, environment: DeployedEnvironment): string[] {
  const { deployment, fullName } = environment;
  const policy = deployment.deadLetterPolicy;
  const [undelivered, guarded] = [fullName(policy.topic), fullName(policy.subscription)];
  const withPolicy = ` --dead-letter-topic=${undelivered} --max-delivery-attempts=${policy.maxDeliveryAttempts}`;
  const agent = '"serviceAccount:service-$number@gcp-sa-pubsub.iam.gserviceaccount.com"';
  return [
    ...topics.map((topic) => `topic ${fullName(topic.name)}`),
    `topic ${undelivered}`,
    ...preparedSubscriptions(environment).map(
      ({ name, topic }) => `subscription ${name} ${topic}${name === guarded ? withPolicy : ''}`,
    ),
    `subscription ${fullName(policy.keptIn)} ${undelivered}`,
    '# Pub/Sub itself moves what cannot be delivered.',
    `present gcloud beta services identity create --service=pubsub.googleapis.com --project="$project" || true`,
    `grant 'pubsub topics' ${undelivered} ${agent} roles/pubsub.publisher`,
    `grant 'pubsub subscriptions' ${guarded} ${agent} roles/pubsub.subscriber`,
  ];
}

function preparedSubscriptions({ deployment, fullName, values }: DeployedEnvironment): {
  name: string;
  topic: string;
}[] {
  return deployment.subscriptions
    .filter(
      ({ when }) =>
        when === undefined || values.some(({ value, variable }) => variable === when && value === 'true'),
    )
    .map(({ name, topic }) => ({ name: fullName(name), topic: fullName(topic) }));
}

function grants(
  { topics }: Architecture,
  environment: DeployedEnvironment,
  account: string,
  who: 'serviceAccount' | 'deployer',
): string[] {
  const { deployment, fullName, secrets } = environment;
  const member = `"serviceAccount:${account}@$project.iam.gserviceaccount.com"`;
  const topicsOf = (direction: 'publish' | 'subscribe'): string[] =>
    topics.filter((topic) => topic.direction === direction).map((topic) => fullName(topic.name));
  const targetsOf = (resource: ServiceAccount['roles'][number]['resource']): [string, string, string][] => {
    switch (resource) {
      case 'project':
        return [['projects', '"$project"', ' --condition=None']];
      case 'published-topics':
        return topicsOf('publish').map((topic) => ['pubsub topics', topic, '']);
      case 'subscribed-topics':
        return topicsOf('subscribe').map((topic) => ['pubsub topics', topic, '']);
      case 'subscriptions':
        return preparedSubscriptions(environment).map(({ name }) => ['pubsub subscriptions', name, '']);
      case 'each-secret':
        return secrets.map(({ secret }) => ['secrets', secret, '']);
      case 'repository':
        return [['artifacts repositories', deployment.build.repository, ' --location="$region"']];
      case 'service-account':
        return [['iam service-accounts', `"${environment.account}@$project.iam.gserviceaccount.com"`, '']];
      default:
        return resource satisfies never;
    }
  };
  return deployment[who].roles.flatMap(({ reason, resource, role }) => [
    `# ${reason}`,
    ...targetsOf(resource).map(
      ([kind, name, options]) =>
        `grant ${kind.includes(' ') ? `'${kind}'` : kind} ${name} ${member} ${role}${options}`,
    ),
  ]);
}

function closing({ secrets, service }: DeployedEnvironment): string[] {
  return [
    `for name in ${secrets.map(({ secret }) => secret).join(' ')}; do`,
    `  if without_version "$name"; then`,
    `    echo "secret $name has no value yet: read -rs value && printf %s \\"\\$value\\" | gcloud secrets versions add $name --data-file=- --project=$project"`,
    '  fi',
    'done',
    `if present gcloud run services describe ${service} --region="$region" --project="$project"; then`,
    '  # Platforms send webhooks without a Google identity; each is signed.',
    `  grant 'run services' ${service} allUsers roles/run.invoker --region="$region"`,
    'else',
    `  echo "${service} is not deployed yet: run this again after the first deployment, so that webhooks reach it"`,
    'fi',
  ];
}
