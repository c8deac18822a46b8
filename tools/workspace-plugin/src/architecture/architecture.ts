/** The types of `architecture.yaml`; `architecture.schema.json` describes the same and is what a file is checked by. */
export interface Architecture {
  readonly version: 1;
  readonly service: Service;
  readonly topics: readonly Topic[];
  readonly endpoints: readonly Endpoint[];
  /** By the project that reads them. */
  readonly variables: Readonly<Record<string, readonly Variable[]>>;
  readonly secrets: readonly Secret[];
  readonly deployment: Deployment;
  readonly overlays: Readonly<Record<'dev' | 'prod', Overlay>>;
}

/** What runs. */
export interface Service {
  readonly name: string;
  /** The Nx project. */
  readonly project: string;
  readonly description: string;
  readonly runtime: 'nodejs';
  /** The built file that is started, from the workspace's root. */
  readonly entry: string;
}

/** A topic, as the service sees it. Names carry no prefix; `{instanceId}` is the instance's. */
export interface Topic {
  readonly name: string;
  readonly direction: 'publish' | 'subscribe';
  /** The schema's name in libs/envelope. */
  readonly message: string;
  /** How the ordering key is made; undefined: there is none. */
  readonly orderingKey?: string;
  /** Of a topic that the service reads. */
  readonly subscription?: { readonly name: string; readonly expiresAfterSeconds: number };
}

/** What HTTP answers. */
export interface Endpoint {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly description: string;
}

/** An environment variable. */
export interface Variable {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'enum' | 'url' | 'list';
  /** What an enum may be. */
  readonly values?: readonly string[];
  /** Of an integer. */
  readonly minimum?: number;
  /** Of an integer. */
  readonly maximum?: number;
  /** As it would stand in the environment. */
  readonly default?: string;
  /** When it must be set: `TWILIO_ENABLED is true`. */
  readonly requiredWhen?: string;
  readonly secret?: boolean;
  /** Who sets it, where a person does not. */
  readonly providedBy?: 'cloud-run';
  /** Read on a developer's machine alone: the deployed service has none. */
  readonly localOnly?: true;
  readonly meaning: string;
}

/** Where Secret Manager keeps the value of a variable. */
export interface Secret {
  readonly variable: string;
  /** The secret's name in Secret Manager. */
  readonly secret: string;
}

/** How many instances there may be, and how many requests one takes at once. */
export interface Scaling {
  readonly minInstances: number;
  readonly maxInstances: number;
  readonly concurrency: number;
}

/** What an instance gets, in the units of Cloud Run: `1`, `512Mi`. */
export interface Resources {
  readonly cpu: string;
  readonly memory: string;
  readonly cpuAlwaysAllocated: boolean;
  readonly startupCpuBoost: boolean;
}

/** A GET request that finds out how an instance is. */
export interface Probe {
  readonly path: string;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

/** What an identity is given a role on. */
export type RoleResource =
  | 'project'
  | 'published-topics'
  | 'subscribed-topics'
  | 'subscriptions'
  | 'each-secret'
  | 'repository'
  | 'service-account';

/** Who acts at Google Cloud, and what it may do. */
export interface ServiceAccount {
  readonly name: string;
  readonly roles: readonly {
    readonly role: string;
    readonly resource: RoleResource;
    readonly reason: string;
  }[];
}

/** How the image is built. Images carry their version. */
export interface Build {
  /** Holds Node: the image's base. */
  readonly nodeImage: string;
  /** Holds the Google Cloud CLI and the emulators that tests need. */
  readonly cloudCliImage: string;
  readonly machineType: string;
  readonly timeoutSeconds: number;
  /** The Artifact Registry repository that images go to. */
  readonly repository: string;
}

/** A subscription that exists before the service starts. */
export interface PreparedSubscription {
  readonly name: string;
  readonly topic: string;
  /** A boolean variable without which it is not needed. */
  readonly when?: string;
}

/** What Pub/Sub takes away after so many deliveries that nobody has answered, and where it goes. */
export interface DeadLetterPolicy {
  readonly subscription: string;
  readonly topic: string;
  /** The subscription that keeps it. */
  readonly keptIn: string;
  readonly maxDeliveryAttempts: number;
}

/** How the service is deployed, the same in each environment. */
export interface Deployment {
  readonly platform: 'cloud-run';
  readonly region: string;
  readonly executionEnvironment: 'gen1' | 'gen2';
  readonly requestTimeoutSeconds: number;
  readonly scaling: Scaling;
  readonly resources: Resources;
  readonly probes: Readonly<Record<'startup' | 'liveness' | 'smokeTest', Probe>>;
  readonly build: Build;
  readonly subscriptions: readonly PreparedSubscription[];
  readonly deadLetterPolicy: DeadLetterPolicy;
  readonly serviceAccount: ServiceAccount;
  /** Who builds and deploys. */
  readonly deployer: ServiceAccount;
  /** Values of variables that are no secret. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variables that are no secret and whose values whoever deploys gives. */
  readonly installation: readonly string[];
}

/** What differs in one environment. */
export interface Overlay {
  readonly description: string;
  /** Put behind the names of the service, its accounts and its secrets, so that environments can share a project. */
  readonly suffix?: string;
  readonly scaling?: Partial<Scaling>;
  readonly resources?: Partial<Resources>;
  readonly environment: Readonly<Record<string, string>>;
  /** Variables that have no value here: neither a default nor one from Secret Manager or whoever deploys. */
  readonly unset?: readonly string[];
}

/** A variable with the project that reads it. */
export interface OwnedVariable extends Variable {
  readonly owner: string;
}

/** All variables, in the order of the file. */
export function variablesOf({ variables }: Pick<Architecture, 'variables'>): OwnedVariable[] {
  return Object.entries(variables).flatMap(([owner, list]) =>
    list.map((variable) => ({ ...variable, owner })),
  );
}

/** A deployment with what one environment changes. */
export function applyOverlay({ deployment, overlays }: Architecture, name: 'dev' | 'prod'): Deployment {
  const overlay = overlays[name];
  return {
    ...deployment,
    scaling: { ...deployment.scaling, ...overlay.scaling },
    resources: { ...deployment.resources, ...overlay.resources },
    environment: { ...deployment.environment, ...overlay.environment },
  };
}
