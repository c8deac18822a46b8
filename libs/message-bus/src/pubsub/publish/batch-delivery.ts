import { backoffMs, type BackoffPolicy, type Clock, sleep } from '@bitbrat/foundation';
import { type PendingPublish } from './publish-lane.js';

/**
 * What a failed request means. `retry`: nothing about its messages. `suspect`: perhaps one of its messages is at fault. A message
 * is given back with `error` once it was refused alone `proofs` times while the topic took others in between.
 */
export type PublishVerdict =
  | { readonly action: 'retry' }
  | { readonly action: 'suspect'; readonly error: Error; readonly proofs: number };

/** What a delivery needs from its lane and its bus. */
export interface DeliveryContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: BackoffPolicy;
  /** Sends one request; resolves with the ids in the order of the messages. */
  send(messages: readonly PendingPublish['message'][]): Promise<readonly string[]>;
  /** Called after each failed request; may mend what is broken before it answers. */
  judge(error: unknown, failures: number): Promise<PublishVerdict>;
  /** How many messages the topic has taken so far, from all lanes. */
  accepted(): number;
  /** Called when a request has succeeded after failures. */
  onRecovery(): void;
  /** A message is refused alone, and nothing proves that the topic takes others. */
  onStuck(error: Error): void;
}

/** What is known of a message that was refused alone. */
interface Refusals {
  /** What the topic had accepted at the last refusal. */
  accepted: number;
  /** Refusals with acceptances of others before them. */
  proofs: number;
}

type Result = { readonly action: 'accepted' } | PublishVerdict;

/**
 * Delivers one batch in order. Never rejects: each message is answered.
 *
 * A refused batch is bisected. The message that is refused alone waits, because the bus may refuse all messages for a while
 * (a schema that was bound to the topic). It is given back only when the topic takes others and still refuses this one.
 * To find that out while nothing else is published to the topic, the next message is tried ahead of it.
 */
export class BatchDelivery {
  private readonly rest: PendingPublish[];
  private readonly refusals = new Map<PendingPublish, Refusals>();
  private failures = 0;
  /** Index of the message that is probed next: those between it and the head were refused, too. */
  private probeAt = 1;
  /** What the topic had accepted when the present batch was first refused. */
  private acceptedAtBatch: number | undefined;

  /** @param more later messages of the lane, taken only when the batch has nothing else to try */
  constructor(
    batch: readonly PendingPublish[],
    private readonly context: DeliveryContext,
    private readonly signal: AbortSignal,
    private readonly more: () => readonly PendingPublish[],
  ) {
    this.rest = [...batch];
  }

  async run(): Promise<void> {
    // How many messages at the head have the one at fault among them; 0: nothing is known.
    let suspects = 0;
    while (this.rest.length > 0 && !this.signal.aborted) {
      const count = suspects === 0 ? this.rest.length : Math.ceil(suspects / 2);
      const result = await this.attempt(0, count);
      if (result.action === 'accepted') {
        suspects = Math.max(0, suspects - count);
        if (suspects === 0) this.acceptedAtBatch = undefined;
      } else if (result.action === 'retry') {
        await this.backOff();
      } else {
        this.acceptedAtBatch ??= this.context.accepted();
        suspects = count;
        if (count === 1 && (await this.judgeHead(result))) suspects = 0;
      }
    }
  }

  /** The first message was refused alone. Whether it was given back. */
  private async judgeHead({ error, proofs }: PublishVerdict & { action: 'suspect' }): Promise<boolean> {
    const [head] = this.rest;
    if (head === undefined) return true;
    if (this.noteRefusal(head, this.acceptedAtBatch) >= proofs) {
      this.rest.shift();
      this.refusals.delete(head);
      head.fail(error);
      this.acceptedAtBatch = undefined;
      this.probeAt = 1;
      this.context.onRecovery();
      return true;
    }
    const isProbed = await this.probe();
    if (!isProbed) this.context.onStuck(error);
    // A definite refusal is confirmed at once, so that a topic which recovers keeps the order.
    if (!isProbed || proofs > 1) await this.backOff();
    return false;
  }

  /** How often this message was refused alone although others were accepted. */
  private noteRefusal(message: PendingPublish, acceptedBefore: number | undefined): number {
    const accepted = this.context.accepted();
    const known = this.refusals.get(message) ?? { accepted: acceptedBefore ?? accepted, proofs: 0 };
    const proofs = known.proofs + (accepted > known.accepted ? 1 : 0);
    this.refusals.set(message, { accepted, proofs });
    return proofs;
  }

  /** Tries a later message; whether the topic took it. */
  private async probe(): Promise<boolean> {
    if (this.rest.length === 1) this.rest.push(...this.more());
    if (this.probeAt >= this.rest.length) this.probeAt = 1;
    const probed = this.rest[this.probeAt];
    if (probed === undefined || this.signal.aborted) return false;
    const result = await this.attempt(this.probeAt, 1);
    if (result.action === 'suspect') {
      this.noteRefusal(probed, undefined);
      this.probeAt++;
    }
    return result.action === 'accepted';
  }

  private async attempt(from: number, count: number): Promise<Result> {
    const batch = this.rest.slice(from, from + count);
    try {
      const ids = await this.context.send(batch.map(({ message }) => message));
      if (this.failures > 0) this.context.onRecovery();
      this.rest.splice(from, count);
      batch.forEach((pending, index) => {
        pending.succeed(ids[index] ?? '');
      });
      return { action: 'accepted' };
    } catch (error) {
      return this.context.judge(error, ++this.failures);
    }
  }

  private async backOff(): Promise<void> {
    const { backoff, clock, random } = this.context;
    await sleep(clock, backoffMs(backoff, this.failures, random, 'half'), this.signal);
  }
}
