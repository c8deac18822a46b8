import { type PubSubEmulator } from '@bitbrat/emulators';
import {
  createReply,
  createTopics,
  decodeDeadLetter,
  decodeIngress,
  decodeOutcome,
  decodeStatus,
  encodeEgress,
  type IngressEnvelope,
} from '@bitbrat/envelope';
import { createPubSubBus, type MessageBus, type ReceivedMessage } from '@bitbrat/message-bus';
import { INSTANCE_ID } from '../load/bus-watch.js';
import { type Ledger } from './ledger.js';

/** Ids of the bus's messages by which a redelivery is known: many more than the bus has in hand. */
const REMEMBERED = 20_000;

export interface SoakBotOptions {
  readonly emulator: PubSubEmulator;
  readonly ledger: Ledger;
  /** The channel in which a platform's people write, by the envelope's channel id. */
  readonly channelOf: (platform: string, channelId: string) => number | undefined;
  /** Whether a message is to be answered. */
  readonly answers: (platform: string, message: number) => boolean;
  /** Called after each message of the bus. */
  readonly onProgress: () => void;
}

/** Sees all that the service publishes, enters it in the ledger, and answers a part of it. */
export class SoakBot {
  /** What should not come: states of connectors other than connected, gaps, dead letters, faults of the bus. */
  readonly complaints: string[] = [];
  readonly #topics = createTopics();
  readonly #bus: MessageBus;
  #seen = new Set<string>();
  #seenBefore: ReadonlySet<string> = new Set();

  private constructor(private readonly options: SoakBotOptions) {
    const { host, projectId } = options.emulator;
    this.#bus = createPubSubBus({ projectId, emulatorHost: host, createMissing: true });
  }

  /** Resolves when nothing that is published from now on is missed. */
  static async start(options: SoakBotOptions): Promise<SoakBot> {
    const bot = new SoakBot(options);
    await bot.#subscribe();
    return bot;
  }

  async close(): Promise<void> {
    await this.#bus.close(5_000);
  }

  async #subscribe(): Promise<void> {
    const { deadLetter, ingress, outcome, status } = this.#topics;
    const { ledger } = this.options;
    await Promise.all([
      this.#take(ingress, ({ data }) => {
        const decoded = decodeIngress(data);
        if (decoded.ok) this.#onIngress(decoded.value);
        else this.#complain(`an envelope that cannot be read: ${decoded.fault.detail}`);
      }),
      this.#take(outcome, ({ data }) => {
        const decoded = decodeOutcome(data);
        if (decoded.ok)
          ledger.settle(Number(decoded.value.eventId.slice(EVENT_PREFIX.length)), decoded.value.status);
        else this.#complain(`an outcome that cannot be read: ${decoded.fault.detail}`);
      }),
      this.#take(deadLetter, ({ data }) => {
        const decoded = decodeDeadLetter(data);
        const why = decoded.ok ? `${decoded.value.error.code} ${decoded.value.error.message}` : '';
        this.#complain(`a dead letter: ${why}`);
      }),
      this.#take(status, ({ data }) => {
        const decoded = decodeStatus(data);
        if (!decoded.ok) return;
        const { connector, error, gap, state } = decoded.value;
        if (gap !== undefined) this.#complain(`${connector} reports a gap: ${gap.reason}`);
        if (state === 'reconnecting' || state === 'failed') {
          this.#complain(`${connector} is ${state}: ${error?.message ?? ''}`);
        }
      }),
    ]);
  }

  async #take(topic: string, take: (message: ReceivedMessage) => void): Promise<void> {
    await this.#bus.subscribe({ topic, subscription: `${topic}.soak` }, (message) => {
      if (this.#isNew(`${topic} ${message.id}`)) take(message);
      this.options.onProgress();
      return Promise.resolve('ack');
    });
  }

  #isNew(key: string): boolean {
    if (this.#seen.has(key) || this.#seenBefore.has(key)) return false;
    this.#seen.add(key);
    if (this.#seen.size > REMEMBERED) {
      this.#seenBefore = this.#seen;
      this.#seen = new Set();
    }
    return true;
  }

  #onIngress(envelope: IngressEnvelope): void {
    const { answers, channelOf, ledger } = this.options;
    const message = readNumber('m', envelope.text);
    const channel = channelOf(envelope.source, envelope.channel.id);
    const isFirst = ledger.published(message, envelope.id, channel);
    if (message === undefined || !isFirst || !answers(envelope.source, message)) return;
    const event = createReply(envelope, `a${message} says the bot`, {
      id: `${EVENT_PREFIX}${message}`,
      quote: false,
    });
    const encoded = encodeEgress(event, '/bots/soak', new Date().toISOString());
    if (!encoded.ok) throw new Error(`${event.id}: ${encoded.fault.detail}`);
    ledger.accept(message);
    this.#bus.publish(this.#topics.egress(INSTANCE_ID), encoded.value).catch((error: unknown) => {
      this.#complain(`the bus has refused ${event.id}: ${String(error)}`);
    });
  }

  #complain(what: string): void {
    this.complaints.push(what);
  }
}

const EVENT_PREFIX = 'soak:';

/** What somebody writes: its number first. */
export function numbered(letter: 'm' | 'a', message: number, words: number): string {
  return `${letter}${message} ${'lorem ipsum '.repeat(words)}`.trimEnd();
}

/** The number of a soak's text; undefined where it has none. */
export function readNumber(letter: 'm' | 'a', text: string): number | undefined {
  const digits = /^([ma])(\d+)\b/.exec(text);
  return digits?.[1] === letter ? Number(digits[2]) : undefined;
}
