import {
  applyOverlay,
  type Architecture,
  type Deployment,
  type OwnedVariable,
  variablesOf,
} from './architecture.js';

/** The environments that there are. */
export type EnvironmentName = keyof Architecture['overlays'];

/** Set by Cloud Run itself, which refuses a manifest that sets them. */
const RESERVED: ReadonlySet<string> = new Set(['PORT']);

/** What one environment comes to: its names, and where each of the service's variables has its value from. */
export interface DeployedEnvironment {
  readonly name: EnvironmentName;
  readonly description: string;
  readonly deployment: Deployment;
  /** Of the Cloud Run service. */
  readonly service: string;
  /** Name of the service account that the service runs as. */
  readonly account: string;
  /** Name of the service account that deploys. */
  readonly deployer: string;
  /** Values that stand in `architecture.yaml`, defaults included, in its order. */
  readonly values: readonly { readonly variable: string; readonly value: string }[];
  /** Variables whose values whoever deploys gives. */
  readonly installation: readonly string[];
  /** Variables whose values Secret Manager keeps, with the names there. */
  readonly secrets: readonly { readonly variable: string; readonly secret: string }[];
  /** Full name of a topic or subscription: with the prefix, and with the instance's id. */
  readonly fullName: (name: string) => string;
}

/** Settings of connectors that are not enabled are left out, but for the one that says so. */
export function resolveEnvironment(architecture: Architecture, name: EnvironmentName): DeployedEnvironment {
  const overlay = architecture.overlays[name];
  const deployment = applyOverlay(architecture, name);
  const { environment } = deployment;
  const suffix = overlay.suffix ?? '';
  const unset = new Set(overlay.unset);
  const used = serviceVariables(architecture).filter(
    (variable) => !unset.has(variable.name) && isUsed(architecture, environment, variable),
  );
  const names = new Set(used.map((variable) => variable.name));
  const values = used.flatMap((variable) => {
    const value = environment[variable.name] ?? variable.default;
    return value === undefined ? [] : [{ variable: variable.name, value }];
  });
  const valued = new Set(values.map(({ variable }) => variable));
  return {
    name,
    description: overlay.description,
    deployment,
    service: `${architecture.service.name}${suffix}`,
    account: `${deployment.serviceAccount.name}${suffix}`,
    deployer: `${deployment.deployer.name}${suffix}`,
    values,
    installation: deployment.installation.filter((variable) => names.has(variable) && !valued.has(variable)),
    secrets: architecture.secrets
      .filter(({ variable }) => names.has(variable))
      .map(({ secret, variable }) => ({ variable, secret: `${secret}${suffix}` })),
    fullName: (topic) =>
      `${environment['BUS_PREFIX'] ?? ''}${topic.replace('{instanceId}', environment['EGRESS_INSTANCE_ID'] ?? '')}`,
  };
}

/** The variables that the deployed service reads and that are for us to set. */
export function serviceVariables(architecture: Architecture): OwnedVariable[] {
  return variablesOf(architecture).filter(
    ({ localOnly, name, owner, providedBy }) =>
      (owner === architecture.service.project || owner.startsWith('connectors-')) &&
      providedBy === undefined &&
      localOnly !== true &&
      !RESERVED.has(name),
  );
}

function isUsed(
  { variables }: Architecture,
  environment: Readonly<Record<string, string>>,
  { name, owner }: OwnedVariable,
): boolean {
  if (!owner.startsWith('connectors-')) return true;
  const flag = variables[owner]?.find((variable) => variable.name.endsWith('_ENABLED'));
  return (
    flag === undefined || name === flag.name || (environment[flag.name] ?? flag.default ?? 'true') === 'true'
  );
}
