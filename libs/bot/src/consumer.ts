import { type CodecFault } from '@bitbrat/envelope';
import { type Disposition, type ReceivedMessage } from '@bitbrat/message-bus';
import { type AttemptsContext, type Call, callWithRetries } from './attempts.js';
import { type Lanes } from './lanes.js';
import { type Seen } from './seen.js';
import { type SetAside } from './set-aside.js';

/** What a message of the bus means to the bot. */
export type Task =
  | { readonly kind: 'unreadable'; readonly fault: CodecFault }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'call'; readonly id: string; readonly call: Call };

/** What a consumer needs. */
export interface ConsumerContext extends AttemptsContext {
  readonly lanes: Lanes;
  readonly setAside: SetAside;
  /** Ids of what was handled. */
  readonly seen: Seen;
}

/**
 * Handles the messages of one subscription. `ack` means that the message was handled, needs no handling, or is set aside. Everything
 * else is `nack`, and the message comes again.
 */
export class Consumer {
  constructor(
    private readonly toTask: (message: ReceivedMessage) => Task,
    private readonly context: ConsumerContext,
  ) {}

  readonly handle = (message: ReceivedMessage): Promise<Disposition> => {
    const { lanes, logger } = this.context;
    const task = this.toTask(message);
    switch (task.kind) {
      case 'ignored':
        return Promise.resolve('ack');
      case 'unreadable':
        logger.warn('bot.message.unreadable', { messageId: message.id, ...task.fault });
        return this.#setAside(message, { code: 'UNREADABLE', detail: task.fault.detail, attempts: 0 });
      case 'call':
        return lanes.run(message.orderingKey ?? task.id, () => this.#call(message, task));
    }
  };

  async #call(message: ReceivedMessage, { call, id }: Task & { kind: 'call' }): Promise<Disposition> {
    const { logger, seen } = this.context;
    if (seen.has(id)) {
      logger.debug('bot.message.duplicate', { id });
      return 'ack';
    }
    const result = await callWithRetries(call, this.context, { id, messageId: message.id });
    switch (result.kind) {
      case 'done':
        seen.add(id);
        return 'ack';
      case 'stopped':
        return 'nack';
      case 'failed':
        return this.#setAside(message, { code: 'HANDLER_FAILED', ...result });
    }
  }

  async #setAside(
    message: ReceivedMessage,
    reason: { readonly code: string; readonly detail: string; readonly attempts: number },
  ): Promise<Disposition> {
    return (await this.context.setAside.keep(message, reason)) ? 'ack' : 'nack';
  }
}
