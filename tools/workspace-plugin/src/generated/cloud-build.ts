import { type Architecture } from '../architecture/architecture.js';
import { type EnvironmentName, resolveEnvironment } from '../architecture/deployed-environment.js';
import { renderYaml } from './yaml-text.js';

const ENVIRONMENTS: readonly EnvironmentName[] = ['dev', 'prod'];

/** What the steps share outside the workspace, where a stray file would count as a change. */
const SHARED = [{ name: 'shared', path: '/shared' }];

/**
 * Cloud Build's configuration: verifies what has changed since the commit that runs, builds and pushes the image, and
 * deploys it, with a smoke test and the way back.
 */
export function renderCloudBuild(architecture: Architecture): string {
  const { deployment, service } = architecture;
  const { build } = deployment;
  const image = `\${_REGION}-docker.pkg.dev/$PROJECT_ID/\${_REPOSITORY}/${service.name}:$COMMIT_SHA`;
  const installation = installationOf(architecture);
  const head = [
    'Verifies what the commits since the deployed one touch, builds and pushes the image, deploys it, asks /health/ready and goes back',
    'when it is not ready. Started by a trigger on main, with the deployer as its service account; see docs/deploying.md.',
  ];
  return renderYaml(head, {
    steps: [
      {
        id: 'fetch-history',
        name: 'gcr.io/cloud-builders/git',
        script: script(
          'if [ "$(git rev-parse --is-shallow-repository)" = true ]; then git fetch --unshallow; fi',
        ),
      },
      {
        id: 'find-deployed-commit',
        name: build.cloudCliImage,
        script: script('deploy/deployed-commit.sh "$ENVIRONMENT" "$PROJECT_ID" >/shared/base'),
        env: ['ENVIRONMENT=$_ENVIRONMENT', 'PROJECT_ID=$PROJECT_ID'],
        volumes: SHARED,
      },
      {
        id: 'fetch-node',
        name: build.nodeImage,
        script: script('cp -R /usr/local /shared/node'),
        volumes: SHARED,
      },
      {
        id: 'verify',
        name: build.cloudCliImage,
        script: script(
          'export PATH="/shared/node/bin:$PATH"',
          'base=$(cat /shared/base)',
          'if [ -n "$base" ]; then ./validate_deliverable.sh --affected "$base"; else ./validate_deliverable.sh; fi',
        ),
        env: ['CI=true'],
        volumes: SHARED,
      },
      {
        id: 'build-image',
        name: 'gcr.io/cloud-builders/docker',
        args: ['build', '--tag', image, '.'],
      },
      { id: 'push-image', name: 'gcr.io/cloud-builders/docker', args: ['push', image] },
      {
        id: 'deploy',
        name: build.cloudCliImage,
        script: script('deploy/deploy.sh "$ENVIRONMENT" "$IMAGE" "$COMMIT_SHA"'),
        env: [
          'ENVIRONMENT=$_ENVIRONMENT',
          `IMAGE=${image}`,
          'COMMIT_SHA=$COMMIT_SHA',
          'GOOGLE_CLOUD_PROJECT=$PROJECT_ID',
          ...installation.map((variable) => `${variable}=\${_${variable}}`),
        ],
      },
    ],
    substitutions: {
      _ENVIRONMENT: 'prod',
      _REGION: deployment.region,
      _REPOSITORY: build.repository,
      ...Object.fromEntries(installation.map((variable) => [`_${variable}`, ''])),
    },
    timeout: `${build.timeoutSeconds}s`,
    options: { machineType: build.machineType, logging: 'CLOUD_LOGGING_ONLY' },
  });
}

/** What any environment wants to be given, but for the project, which Cloud Build knows. */
function installationOf(architecture: Architecture): string[] {
  const wanted = new Set(ENVIRONMENTS.flatMap((name) => resolveEnvironment(architecture, name).installation));
  return architecture.deployment.installation.filter(
    (variable) => variable !== 'GOOGLE_CLOUD_PROJECT' && wanted.has(variable),
  );
}

function script(...lines: string[]): string {
  return ['#!/usr/bin/env bash', 'set -euo pipefail', ...lines, ''].join('\n');
}
