import { createReply, decodeIngress, encodeEgress, type Topics } from '@bitbrat/envelope';
import { type Clock, isoTime, type Logger } from '@bitbrat/foundation';
import {
  type BusSubscription,
  type Disposition,
  type MessageBus,
  type ReceivedMessage,
} from '@bitbrat/message-bus';

/**
 * Answers each message with its own text. It sits on the bus like any bot and knows no platform: the smallest
 * consumer there is, to see a gateway work before there is a bot of one's own.
 */
export class EchoBot {
  #subscription: BusSubscription | undefined;

  constructor(
    private readonly bus: MessageBus,
    private readonly topics: Topics,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    const topic = this.topics.ingress;
    this.#subscription = await this.bus.subscribe({ topic, subscription: `${topic}.echo-bot` }, (message) =>
      this.#answer(message),
    );
  }

  async stop(timeoutMs: number): Promise<void> {
    await this.#subscription?.close(timeoutMs);
    this.#subscription = undefined;
  }

  async #answer(message: ReceivedMessage): Promise<Disposition> {
    const decoded = decodeIngress(message.data);
    if (!decoded.ok) {
      this.logger.warn('echo-bot.unreadable', { messageId: message.id, reason: decoded.fault.detail });
      return 'ack';
    }
    const envelope = decoded.value;
    if (envelope.sender.isBot || envelope.type !== 'chat.message.v1') return 'ack';
    // Who writes STOP wants no answer, and START and HELP are answered by the platform.
    if (envelope.metadata['consent'] !== undefined) return 'ack';
    const text = envelope.text.trim() === '' ? `(${envelope.attachments.length} attachments)` : envelope.text;
    const answer = encodeEgress(
      createReply(envelope, text),
      '/bots/echo',
      isoTime(this.clock.now()),
      message.attributes['traceparent'],
    );
    if (!answer.ok) {
      this.logger.warn('echo-bot.too-long', { envelope: envelope.id, reason: answer.fault.detail });
      return 'ack';
    }
    await this.bus.publish(envelope.replyTo.topic, answer.value);
    return 'ack';
  }
}
