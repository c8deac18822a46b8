import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Architecture, variablesOf } from '../architecture/architecture.js';
import {
  type EnvironmentName,
  resolveEnvironment,
  serviceVariables,
} from '../architecture/deployed-environment.js';
import { parseArchitecture } from '../architecture/read-architecture.js';
import { missingValues } from '../architecture/required-values.js';
import { renderCloudRunService } from './cloud-run-service.js';

interface EnvironmentEntry {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly traffic: readonly object[];
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: {
        readonly serviceAccountName: string;
        readonly containerConcurrency: number;
        readonly timeoutSeconds: number;
        readonly containers: readonly {
          readonly image: string;
          readonly ports: readonly object[];
          readonly resources: object;
          readonly startupProbe: object;
          readonly livenessProbe: object;
          readonly env: readonly EnvironmentEntry[];
        }[];
      };
    };
  };
}

function ownArchitecture(): Architecture {
  const text = readFileSync(join(__dirname, '../../../../architecture.yaml'), 'utf8');
  const schema = readFileSync(join(__dirname, '../architecture/architecture.schema.json'), 'utf8');
  const result = parseArchitecture(text, schema);
  if (!result.ok) throw new Error('architecture.yaml is not valid');
  return result.architecture;
}

const architecture = ownArchitecture();

function manifestOf(name: EnvironmentName, from: Architecture = architecture): Manifest {
  return parse(renderCloudRunService(from, name)) as Manifest; // the tests below look at what it is
}

function containerOf(manifest: Manifest): Manifest['spec']['template']['spec']['containers'][number] {
  const [container, ...others] = manifest.spec.template.spec.containers;
  if (container === undefined || others.length > 0) throw new Error('not exactly one container');
  return container;
}

/** The architecture with some of the prod overlay changed. */
function withProd(change: Partial<Architecture['overlays']['prod']>): Architecture {
  return {
    ...architecture,
    overlays: { ...architecture.overlays, prod: { ...architecture.overlays.prod, ...change } },
  };
}

describe.each(['dev', 'prod'] as const)('the Cloud Run service in %s', (name) => {
  const manifest = manifestOf(name);
  const {
    env: [nodeOptions, ...env],
    ...container
  } = containerOf(manifest);
  const byName = new Map(env.map((entry) => [entry.name, entry]));

  it('is a service that keeps one instance with its CPU', () => {
    expect(manifest).toMatchObject({ apiVersion: 'serving.knative.dev/v1', kind: 'Service' });
    expect(manifest.metadata.labels).toEqual({ 'cloud.googleapis.com/location': 'europe-west1' });
    expect(manifest.spec.traffic).toEqual([{ latestRevision: true, percent: 100 }]);
    expect(manifest.spec.template.metadata.annotations).toEqual({
      'autoscaling.knative.dev/minScale': '1',
      'autoscaling.knative.dev/maxScale': '1',
      'run.googleapis.com/cpu-throttling': 'false',
      'run.googleapis.com/startup-cpu-boost': 'true',
      'run.googleapis.com/execution-environment': 'gen2',
    });
    expect(manifest.spec.template.spec).toMatchObject({ containerConcurrency: 80, timeoutSeconds: 60 });
  });

  it('is asked by probes on its own port, never whether the platforms are there', () => {
    const httpGet = { path: '/livez', port: 8080 };
    expect(container).toMatchObject({
      ports: [{ name: 'http1', containerPort: 8080 }],
      resources: { limits: { cpu: '1', memory: '512Mi' } },
      startupProbe: { httpGet },
      livenessProbe: { httpGet },
    });
  });

  it('gives Node most of the memory for its heap', () => {
    expect(nodeOptions).toEqual({ name: 'NODE_OPTIONS', value: '--max-old-space-size=358' });
  });

  it('sets each variable once, and only variables of the service', () => {
    const known = new Set(serviceVariables(architecture).map((variable) => variable.name));
    expect(byName.size).toBe(env.length);
    expect([...byName.keys()].filter((variable) => !known.has(variable))).toEqual([]);
  });

  it("has nothing that is read on a developer's machine alone", () => {
    const local = variablesOf(architecture).filter(({ localOnly }) => localOnly === true);
    expect(local.map((variable) => variable.name)).toContain('BUS_PORT');
    expect(local.filter((variable) => byName.has(variable.name))).toEqual([]);
  });

  it('leaves out only what has neither value nor default, and connectors that are not enabled', () => {
    const left = serviceVariables(architecture).filter((variable) => !byName.has(variable.name));
    const disabled = (owner: string): boolean =>
      byName.get(`${owner.replace('connectors-', '').toUpperCase()}_ENABLED`)?.value === 'false';
    const unexplained = left.filter(
      (variable) => !disabled(variable.owner) && (variable.default !== undefined || variable.secret === true),
    );
    expect(unexplained).toEqual([]);
    expect(missingValues(architecture, name)).toEqual([]);
  });

  it('takes every secret from Secret Manager and holds no value of one', () => {
    const secrets = new Set(
      variablesOf(architecture).flatMap((variable) => (variable.secret === true ? [variable.name] : [])),
    );
    for (const entry of env) {
      expect(Object.keys(entry)).toEqual(['name', secrets.has(entry.name) ? 'valueFrom' : 'value']);
    }
    const { secrets: expected } = resolveEnvironment(architecture, name);
    expect(env.flatMap(({ valueFrom }) => (valueFrom === undefined ? [] : [valueFrom]))).toEqual(
      expected.map(({ secret }) => ({ secretKeyRef: { name: secret, key: 'latest' } })),
    );
  });

  it('keeps its place on the bus over revisions', () => {
    expect(byName.get('EGRESS_INSTANCE_ID')?.value).toBe(manifest.metadata.name);
    expect(byName.get('MESSAGE_BUS_DRIVER')?.value).toBe('pubsub');
    expect(byName.get('STATE_STORE_DRIVER')?.value).toBe('firestore');
  });

  it('wants from whoever deploys what no file can know', () => {
    const wanted = [...renderCloudRunService(architecture, name).matchAll(/\$\{([A-Z_]+)\}/g)];
    const { installation } = resolveEnvironment(architecture, name);
    expect(new Set(wanted.flatMap(([, variable]) => variable ?? []))).toEqual(
      new Set(['NAME', 'COMMIT_SHA', 'IMAGE', ...installation]),
    );
  });
});

describe('environments', () => {
  it('share no name, so that they may share a project', () => {
    const [dev, prod] = [resolveEnvironment(architecture, 'dev'), resolveEnvironment(architecture, 'prod')];
    const namesOf = (environment: typeof dev): string[] => [
      environment.service,
      environment.account,
      environment.deployer,
      environment.fullName('internal.ingress.v1'),
      ...environment.secrets.map(({ secret }) => secret),
    ];
    expect(namesOf(dev).filter((name) => namesOf(prod).includes(name))).toEqual([]);
  });

  it('reference no secret of a connector that is not enabled, which would have no value', () => {
    const environment = { ...architecture.overlays.prod.environment, DISCORD_ENABLED: 'false' };
    const { env } = containerOf(manifestOf('prod', withProd({ environment })));
    expect(env.filter(({ name }) => name.startsWith('DISCORD_'))).toEqual([
      { name: 'DISCORD_ENABLED', value: 'false' },
    ]);
  });

  it('leave a variable without a value where they say so', () => {
    const { env } = containerOf(manifestOf('prod', withProd({ unset: ['TWITCH_ACCESS_TOKEN'] })));
    expect(env.map(({ name }) => name)).not.toContain('TWITCH_ACCESS_TOKEN');
    expect(missingValues(withProd({ unset: ['TWITCH_ACCESS_TOKEN'] }), 'prod')).toEqual([]);
  });

  it('are refused where a required value is missing', () => {
    const unset = ['TWITCH_ACCESS_TOKEN', 'TWITCH_REFRESH_TOKEN', 'DISCORD_GUILD_ID'];
    expect(missingValues(withProd({ unset }), 'prod').map(({ variable }) => variable)).toEqual([
      'TWITCH_ACCESS_TOKEN',
      'DISCORD_GUILD_ID',
    ]);
  });
});
