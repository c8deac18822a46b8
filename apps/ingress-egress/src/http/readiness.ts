import { type ConnectorManager, type ConnectorStatusName } from '@bitbrat/connectors-core';
import { type MessageBus, type TopicSubscriptions } from '@bitbrat/message-bus';

/** Shorter than the probe's own time-out, so that the answer says what is wrong. */
const BUS_CHECK_MS = 800;

/** What the service knows of its bus and store without asking them. */
export interface TransportFacts {
  /** Why the service's own subscriptions are not open, with the cure; undefined: they are. */
  readonly busFault: string | undefined;
  /** Why the state store does not work, with the cure; undefined: it does. */
  readonly storeFault: string | undefined;
  /** Whether anybody is subscribed to the messages of people. */
  readonly ingressSubscriptions: TopicSubscriptions;
}

export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or why the bus does not work. */
  readonly bus: string;
  /** `ok`, or why the state store does not work. */
  readonly store: string;
  readonly ingressSubscriptions: TopicSubscriptions;
  readonly connectors: Readonly<Record<string, ConnectorStatusName>>;
  readonly draining?: true;
}

/** Ready: bus and store work, each enabled connector is connected, and the service is not stopping. */
export async function checkReadiness(
  bus: MessageBus,
  manager: ConnectorManager,
  draining: boolean,
  facts: TransportFacts,
): Promise<Readiness> {
  const answer = await bus.checkHealth(BUS_CHECK_MS).then(
    () => 'ok',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const busState = facts.busFault ?? answer;
  const store = facts.storeFault ?? 'ok';
  const states = Object.entries(manager.getStates()).map(([name, { status }]) => [name, status] as const);
  const connected = states.every(([, status]) => status === 'connected');
  return {
    ready: busState === 'ok' && store === 'ok' && connected && !draining,
    bus: busState,
    store,
    ingressSubscriptions: facts.ingressSubscriptions,
    connectors: Object.fromEntries(states),
    ...(draining ? { draining } : {}),
  };
}
