import { type ConnectorManager, type ConnectorStatusName } from '@bitbrat/connectors-core';
import { type MessageBus } from '@bitbrat/message-bus';

/** Shorter than the probe's own time-out, so that the answer says what is wrong. */
const BUS_CHECK_MS = 800;

export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or why the bus does not answer. */
  readonly bus: string;
  readonly connectors: Readonly<Record<string, ConnectorStatusName>>;
  readonly draining?: true;
}

/** Ready: the bus answers, each enabled connector is connected, and the service is not stopping. */
export async function checkReadiness(
  bus: MessageBus,
  manager: ConnectorManager,
  draining: boolean,
): Promise<Readiness> {
  const busState = await bus.checkHealth(BUS_CHECK_MS).then(
    () => 'ok',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const states = Object.entries(manager.getStates()).map(([name, { status }]) => [name, status] as const);
  const connected = states.every(([, status]) => status === 'connected');
  return {
    ready: busState === 'ok' && connected && !draining,
    bus: busState,
    connectors: Object.fromEntries(states),
    ...(draining ? { draining } : {}),
  };
}
