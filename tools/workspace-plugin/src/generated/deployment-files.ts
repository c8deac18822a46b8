import { type Architecture } from '../architecture/architecture.js';
import { type EnvironmentName } from '../architecture/deployed-environment.js';
import { renderCloudBuild } from './cloud-build.js';
import { renderCloudRunService } from './cloud-run-service.js';
import { renderDeploymentSettings } from './deployment-settings.js';
import { type GeneratedFile } from './generated-files.js';
import { renderSetupCommands } from './setup-commands.js';

const ENVIRONMENTS: readonly EnvironmentName[] = ['dev', 'prod'];

const BY_ENVIRONMENT: readonly {
  readonly file: (name: EnvironmentName) => string;
  readonly render: (architecture: Architecture, name: EnvironmentName) => string;
}[] = [
  { file: (name) => `deploy/cloud-run.service.${name}.yaml`, render: renderCloudRunService },
  { file: (name) => `deploy/settings.${name}.env`, render: renderDeploymentSettings },
  { file: (name) => `deploy/setup.${name}.sh`, render: renderSetupCommands },
];

/** What deploys the service, for each environment. */
export const DEPLOYMENT_FILES: readonly GeneratedFile[] = [
  { file: 'cloudbuild.yaml', render: renderCloudBuild },
  ...ENVIRONMENTS.flatMap((name) =>
    BY_ENVIRONMENT.map(({ file, render }): GeneratedFile => ({
      file: file(name),
      render: (architecture) => render(architecture, name),
    })),
  ),
];
