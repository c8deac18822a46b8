import { type Clock } from '@bitbrat/foundation';
import { type Consumer, type LeasedMessage } from '../engine/entry.js';
import { type LocalSubscription } from '../engine/local-subscription.js';

/** How long a pull waits for the first message, in milliseconds: less than the time-outs of Google's clients (60 s). */
export const PULL_WAIT_MS = 20_000;

export interface PullOptions {
  readonly maxMessages: number;
  readonly returnImmediately: boolean;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

/** One pull: resolves with what there is, or with nothing after a while. */
export function pull(
  subscription: LocalSubscription,
  { maxMessages, returnImmediately, signal }: PullOptions,
  clock: Clock,
): Promise<readonly LeasedMessage[]> {
  return new Promise((resolve, reject) => {
    let room = signal.aborted ? 0 : maxMessages;
    const consumer: Consumer = {
      ackDeadlineMs: (subscription.resource.ackDeadlineSeconds ?? 10) * 1000,
      hasRoom: () => room > 0,
      reserve: () => (room -= 1),
      deliver: (messages) => {
        finish(messages);
      },
      released: () => undefined,
      ended: (reason) => {
        reject(reason);
        finish([]);
      },
    };
    const finish = (messages: readonly LeasedMessage[]): void => {
      room = 0;
      cancel();
      signal.removeEventListener('abort', giveUp);
      subscription.detach(consumer);
      resolve(messages);
    };
    const giveUp = (): void => {
      finish([]);
    };
    const cancel = clock.setTimeout(giveUp, returnImmediately ? 10 : PULL_WAIT_MS);
    signal.addEventListener('abort', giveUp, { once: true });
    subscription.attach(consumer);
  });
}
