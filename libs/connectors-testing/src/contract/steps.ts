import assert from 'node:assert/strict';
import {
  ConnectorError,
  type ConnectorErrorCode,
  type SendOptions,
  type SendReceipt,
} from '@bitbrat/connectors-core';
import { type IngressEnvelope } from '@bitbrat/envelope';
import { waitFor, within } from '../wait-for.js';
import { type ConnectorHarness, type ReceivedMessage } from './harness.js';

export const patienceOf = (harness: ConnectorHarness): number => harness.patienceMs ?? 10_000;

export const statusOf = ({ connector }: ConnectorHarness): string => connector.getSnapshot().state.status;

/** Starts the connector as the supervisor does, with a limit. */
export async function start(harness: ConnectorHarness): Promise<void> {
  const started = harness.connector.start(new AbortController().signal);
  await within(started, patienceOf(harness), 'start to settle');
}

/** Brings up again what has failed and may be tried again, as the supervisor does, until it is connected. */
export async function keepUp(harness: ConnectorHarness, description: string): Promise<void> {
  const restart = async (): Promise<boolean> => {
    const { state } = harness.connector.getSnapshot();
    if (state.status === 'failed' && state.error.retryable) {
      await harness.connector.stop();
      await harness.connector.start(new AbortController().signal).catch(() => undefined);
    }
    return statusOf(harness) === 'connected';
  };
  await waitFor(restart, patienceOf(harness), description);
}

export const idOf = ({ connector }: ConnectorHarness, message: ReceivedMessage): string =>
  `${connector.name}:${message.nativeId}`;

/** The envelopes of a message, in the order in which they were published. */
export function envelopesOf(harness: ConnectorHarness, message: ReceivedMessage): IngressEnvelope[] {
  return harness.host.published.filter((envelope) => envelope.id === idOf(harness, message));
}

/** Waits until each of the messages has been published, and gives the first envelope of each. */
export async function publishedAll(
  harness: ConnectorHarness,
  messages: readonly ReceivedMessage[],
  description: string,
): Promise<IngressEnvelope[]> {
  const first = (message: ReceivedMessage): IngressEnvelope | undefined => envelopesOf(harness, message)[0];
  await waitFor(
    () => messages.every((message) => first(message) !== undefined),
    patienceOf(harness),
    description,
  );
  return messages.flatMap((message) => first(message) ?? []);
}

/** Watches for a moment that a condition stays true. */
export async function staysTrue(
  harness: ConnectorHarness,
  check: () => boolean,
  promise: string,
): Promise<void> {
  const end = performance.now() + (harness.watchMs ?? 100);
  await waitFor(
    () => {
      assert.ok(check(), promise);
      return performance.now() >= end;
    },
    patienceOf(harness),
    promise,
  );
}

/** Waits until no connection to the platform is left, where the platform can tell. */
export async function connectionsClosed(harness: ConnectorHarness): Promise<void> {
  const check = async (): Promise<boolean> => ((await harness.openConnections?.()) ?? 0) === 0;
  await waitFor(check, patienceOf(harness), 'the connections to be closed');
}

let keys = 0;

/** Sends a text under a new idempotency key, or under the one given. */
export function send(
  harness: ConnectorHarness,
  text: string,
  destination: string,
  options: Partial<SendOptions> = {},
): Promise<SendReceipt> {
  const idempotencyKey = `contract-${(keys += 1)}`;
  const sending = harness.connector.sendText(text, destination, {
    idempotencyKey,
    mayHaveBeenSent: false,
    ...options,
  });
  return within(sending, patienceOf(harness), 'sendText to settle');
}

/** The ConnectorError with which a call rejects, or nothing where it resolves. */
export async function errorOf(
  call: Promise<unknown>,
  description: string,
): Promise<ConnectorError | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(
      error instanceof ConnectorError,
      `${description}: expected a ConnectorError, got ${String(error)}`,
    );
    return error;
  }
}

/** The ConnectorError with which a call rejects. */
export async function rejectionOf(call: Promise<unknown>, description: string): Promise<ConnectorError> {
  const error = await errorOf(call, description);
  assert.ok(error, `${description}: expected a rejection, it resolved`);
  return error;
}

/** Checks the code with which a call rejects, and what follows from it. */
export async function rejectsWith(
  call: Promise<unknown>,
  code: ConnectorErrorCode,
  description: string,
): Promise<ConnectorError> {
  const error = await rejectionOf(call, description);
  assert.equal(error.code, code, `${description}: expected ${code}, got ${error.code} (${error.message})`);
  return error;
}
