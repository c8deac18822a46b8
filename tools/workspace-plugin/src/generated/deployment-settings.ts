import { type Architecture } from '../architecture/architecture.js';
import { type EnvironmentName, resolveEnvironment } from '../architecture/deployed-environment.js';
import { GENERATED_BY } from './yaml-text.js';

/** What the scripts in `deploy/` need to know of an environment, as a file of shell variables. */
export function renderDeploymentSettings(architecture: Architecture, name: EnvironmentName): string {
  const { deployment, service } = resolveEnvironment(architecture, name);
  const { smokeTest } = deployment.probes;
  return [
    `# ${GENERATED_BY}`,
    `SERVICE=${service}`,
    `REGION=${deployment.region}`,
    `SMOKE_PATH=${smokeTest.path}`,
    `SMOKE_ATTEMPTS=${smokeTest.failureThreshold}`,
    `SMOKE_PERIOD_SECONDS=${smokeTest.periodSeconds}`,
    `SMOKE_TIMEOUT_SECONDS=${smokeTest.timeoutSeconds}`,
    '',
  ].join('\n');
}
