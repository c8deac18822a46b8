import { abortedError } from '../../bus-rules.js';
import { type OutgoingMessage } from '../../message-bus.js';
import { type PendingPublish } from './publish-lane.js';

/** What a call tells its bus. */
export interface PublishCallOwner {
  /** The call is over: acknowledged, failed, or given up before it had found room. */
  onOver(call: PublishCall): void;
}

/**
 * One publish call, from the wait for room to its end. A class and not a handful of closures: there is one per message.
 */
export class PublishCall implements PendingPublish {
  /** Whether it has found room; it takes it until it is over. */
  admitted = false;
  private withdraw: (() => boolean) | undefined;
  private over = false;

  constructor(
    readonly message: OutgoingMessage,
    readonly bytes: number,
    private readonly owner: PublishCallOwner,
    private readonly resolve: (id: string) => void,
    private readonly reject: (error: Error) => void,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** @param withdraw takes the call out of those that wait for room; false where it has found some */
  begin(withdraw: () => boolean): void {
    this.withdraw = withdraw;
    this.signal?.addEventListener('abort', this, { once: true });
  }

  /** The signal was aborted. Once it is on its way it is published all the same, and takes its room until then. */
  handleEvent(): void {
    this.reject(abortedError());
    if (this.withdraw?.() === true) this.finish();
  }

  succeed(id: string): void {
    this.finish();
    this.resolve(id);
  }

  fail(error: Error): void {
    this.finish();
    this.reject(error);
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.signal?.removeEventListener('abort', this);
    this.owner.onOver(this);
  }
}
