import { type Finding } from '../workspace/finding.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';
import { checkConnectorFiles } from './connector-files.js';
import { checkContractSuite } from './contract-suite.js';
import { checkDisabledTests } from './disabled-tests.js';
import { checkEnvironmentVariables } from './environment-variables.js';
import { checkFixedSleeps } from './fixed-sleeps.js';
import { checkLockfileHosts } from './lockfile-hosts.js';
import { checkProcessEnv } from './process-env.js';
import { checkProjectTags } from './project-tags.js';
import { checkVendorImports } from './vendor-imports.js';

/** A convention that is checked: a pure function of the workspace's files. */
export type Check = (view: WorkspaceView) => Finding[];

/** All conventions that the files alone can show, by the words in which they are reported. */
export const CHECKS: Readonly<Record<string, Check>> = {
  'connectors have the standard files': checkConnectorFiles,
  'connectors pass through the contract suite': checkContractSuite,
  'no test is disabled': checkDisabledTests,
  'no test sleeps a fixed time': checkFixedSleeps,
  "vendors' packages are loaded in one place": checkVendorImports,
  'the environment is read in main.ts': checkProcessEnv,
  'schemas and architecture.yaml name the same variables': checkEnvironmentVariables,
  'projects have their tags': checkProjectTags,
  'no registry host in the lockfile': checkLockfileHosts,
};
