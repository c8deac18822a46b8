import { type Architecture, type Probe } from '../architecture/architecture.js';
import {
  type DeployedEnvironment,
  type EnvironmentName,
  resolveEnvironment,
} from '../architecture/deployed-environment.js';
import { renderYaml } from './yaml-text.js';

/** The port that the container listens on: Cloud Run sets PORT to it. */
const CONTAINER_PORT = 8080;

/**
 * Share of the instance's memory for Node's heap. By itself Node takes half, and an outage of the bus needs more; the rest of the process has
 * been seen to need 120 MiB.
 */
const HEAP_SHARE = 0.7;

/**
 * The Cloud Run service of an environment, in the form that `gcloud run services replace` takes. What differs by
 * installation stands there as `${NAME}`; `deploy/deploy.sh` puts the values in.
 */
export function renderCloudRunService(architecture: Architecture, name: EnvironmentName): string {
  const environment = resolveEnvironment(architecture, name);
  const head = [
    `The service in the environment ${name}: ${environment.description}.`,
    'Deploy it with deploy/deploy.sh, which puts a value in the place of each ${NAME}.',
  ];
  return renderYaml(head, toService(architecture, environment));
}

function toService(architecture: Architecture, environment: DeployedEnvironment): object {
  const { deployment, service } = environment;
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: {
      name: service,
      labels: { 'cloud.googleapis.com/location': deployment.region },
      annotations: {
        'run.googleapis.com/description': architecture.service.description,
        // Platforms send webhooks from outside; each is signed.
        'run.googleapis.com/ingress': 'all',
      },
    },
    spec: {
      template: toTemplate(environment),
      traffic: [{ latestRevision: true, percent: 100 }],
    },
  };
}

function toTemplate({ account, deployment, installation, secrets, values }: DeployedEnvironment): object {
  const { probes, resources, scaling } = deployment;
  return {
    metadata: {
      labels: { 'commit-sha': '${COMMIT_SHA}' },
      annotations: {
        'autoscaling.knative.dev/minScale': String(scaling.minInstances),
        'autoscaling.knative.dev/maxScale': String(scaling.maxInstances),
        'run.googleapis.com/cpu-throttling': String(!resources.cpuAlwaysAllocated),
        'run.googleapis.com/startup-cpu-boost': String(resources.startupCpuBoost),
        'run.googleapis.com/execution-environment': deployment.executionEnvironment,
      },
    },
    spec: {
      serviceAccountName: `${account}@\${GOOGLE_CLOUD_PROJECT}.iam.gserviceaccount.com`,
      containerConcurrency: scaling.concurrency,
      timeoutSeconds: deployment.requestTimeoutSeconds,
      containers: [
        {
          image: '${IMAGE}',
          ports: [{ name: 'http1', containerPort: CONTAINER_PORT }],
          resources: { limits: { cpu: resources.cpu, memory: resources.memory } },
          startupProbe: toProbe(probes.startup),
          livenessProbe: toProbe(probes.liveness),
          env: [
            { name: 'NODE_OPTIONS', value: `--max-old-space-size=${heapMib(resources.memory)}` },
            ...values.map(({ value, variable }) => ({ name: variable, value })),
            ...installation.map((variable) => ({ name: variable, value: `\${${variable}}` })),
            ...secrets.map(({ secret, variable }) => ({
              name: variable,
              valueFrom: { secretKeyRef: { name: secret, key: 'latest' } },
            })),
          ],
        },
      ],
    },
  };
}

/** @param memory in Cloud Run's units: `512Mi`, `1Gi` */
function heapMib(memory: string): number {
  const mib = Number.parseInt(memory, 10) * (memory.endsWith('Gi') ? 1_024 : 1);
  return Math.floor(mib * HEAP_SHARE);
}

function toProbe({ failureThreshold, path, periodSeconds, timeoutSeconds }: Probe): object {
  return { httpGet: { path, port: CONTAINER_PORT }, periodSeconds, timeoutSeconds, failureThreshold };
}
