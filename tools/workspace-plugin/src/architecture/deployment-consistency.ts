import { type Architecture, variablesOf } from './architecture.js';
import { type Fault, type Locate } from './consistency.js';
import { type EnvironmentName } from './deployed-environment.js';
import { missingValues } from './required-values.js';

const ENVIRONMENTS: readonly EnvironmentName[] = ['dev', 'prod'];

/** Parts of the deployment that must fit the rest of the file. */
export function checkDeployment(architecture: Architecture, locate: Locate): Fault[] {
  return [
    ...checkNames(architecture, locate),
    ...checkTopics(architecture, locate),
    ...ENVIRONMENTS.flatMap((name) =>
      missingValues(architecture, name).map(({ requiredWhen, variable }) => ({
        line: locate(['overlays', name]),
        message: `${name} gives no value for ${variable}, which is required when ${requiredWhen}`,
        cure: `add it to the environment of the overlay, or to deployment.installation`,
      })),
    ),
  ];
}

function checkNames(architecture: Architecture, locate: Locate): Fault[] {
  const known = new Map(variablesOf(architecture).map((variable) => [variable.name, variable]));
  const { deployment, overlays } = architecture;
  const places = [
    ...deployment.installation.map((name, index) => ({ name, path: ['deployment', 'installation', index] })),
    ...ENVIRONMENTS.flatMap((overlay) =>
      (overlays[overlay].unset ?? []).map((name, index) => ({
        name,
        path: ['overlays', overlay, 'unset', index],
      })),
    ),
    ...deployment.subscriptions.flatMap(({ when }, index) =>
      when === undefined ? [] : [{ name: when, path: ['deployment', 'subscriptions', index, 'when'] }],
    ),
  ];
  const unknown = places
    .filter(({ name }) => !known.has(name))
    .map(({ name, path }) => ({
      line: locate(path),
      message: `${name} is named but unknown`,
      cure: 'add it to variables or correct the name',
    }));
  const secret = deployment.installation.flatMap((name, index) =>
    known.get(name)?.secret === true
      ? [
          {
            line: locate(['deployment', 'installation', index]),
            message: `${name} is a secret`,
            cure: 'remove it here: it comes from Secret Manager',
          },
        ]
      : [],
  );
  return [...unknown, ...secret];
}

function checkTopics({ deployment, topics }: Architecture, locate: Locate): Fault[] {
  const names = new Set(topics.map(({ name }) => name));
  const subscriptions = deployment.subscriptions
    .map(({ topic }, index) => ({ topic, index }))
    .filter(({ topic }) => !names.has(topic))
    .map(({ index, topic }) => ({
      line: locate(['deployment', 'subscriptions', index]),
      message: `a subscription reads ${topic}, which is no topic`,
      cure: 'add it to topics or correct the name',
    }));
  const policy = deployment.deadLetterPolicy.subscription;
  if (deployment.subscriptions.some(({ name }) => name === policy)) return subscriptions;
  return [
    ...subscriptions,
    {
      line: locate(['deployment', 'deadLetterPolicy']),
      message: `the dead-letter policy is for ${policy}, which is no subscription`,
      cure: 'add it to deployment.subscriptions or correct the name',
    },
  ];
}
