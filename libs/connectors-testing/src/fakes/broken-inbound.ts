import { correlationIdOf, type IngressEnvelope } from '@bitbrat/envelope';
import { type BrokenConnector } from './broken-connector.js';
import { FakeConnector } from './fake-connector.js';
import { type FakeMessage } from './fake-platform.js';

/** Flaws on the way from the platform to the bus. */
export const brokenInbound: readonly BrokenConnector[] = [
  [
    'makes up ids',
    'a message becomes one valid envelope',
    class extends FakeConnector {
      #count = 0;
      protected override toEnvelope(message: FakeMessage): IngressEnvelope {
        const id = `${this.name}:made-up-${(this.#count += 1)}`;
        return { ...super.toEnvelope(message), id, correlationId: correlationIdOf(id) };
      }
    },
  ],
  ...(
    [
      ['trims and lowers text', ({ text }) => ({ text: text.toLowerCase() })],
      ['normalizes text', ({ text }) => ({ text: text.normalize('NFC') })],
      [
        'makes a new correlation id each time',
        () => ({ correlationId: correlationIdOf(`${Math.random()}`) }),
      ],
      ['writes local time', () => ({ receivedAt: '2026-01-01T01:00:00+01:00' })],
      ['takes the time from nowhere', () => ({ receivedAt: '1970-01-01T00:00:00Z' })],
      ['calls itself something else', () => ({ source: 'other' })],
      ['leaves out the sender', () => ({ from: '' })],
      ['puts what is no JSON into the metadata', () => ({ metadata: { index: NaN } })],
      ['names another topic', ({ replyTo }) => ({ replyTo: { ...replyTo, topic: 'somewhere' } })],
    ] satisfies [string, (envelope: IngressEnvelope) => Partial<IngressEnvelope>][]
  ).map(
    ([flaw, change]) =>
      [
        flaw,
        'a message becomes one valid envelope',
        class extends FakeConnector {
          protected override toEnvelope(message: FakeMessage): IngressEnvelope {
            const envelope = super.toEnvelope(message);
            return { ...envelope, ...change(envelope) };
          }
        },
      ] as const,
  ),
  [
    'publishes each message twice',
    'a message becomes one valid envelope',
    class extends FakeConnector {
      protected override async take(message: FakeMessage): Promise<void> {
        await super.take(message);
        await super.take(message);
      }
    },
  ],
  [
    'sends answers elsewhere',
    'replyTo leads back to where the message was written',
    class extends FakeConnector {
      protected override toEnvelope(message: FakeMessage): IngressEnvelope {
        const envelope = super.toEnvelope(message);
        return { ...envelope, replyTo: { ...envelope.replyTo, destination: 'one' } };
      }
    },
  ],
  [
    'publishes own messages',
    'own messages are not published',
    class extends FakeConnector {
      protected override isForUs(): boolean {
        return true;
      }
    },
  ],
  [
    'drops messages without body',
    'a message without body has an empty text',
    class extends FakeConnector {
      protected override isForUs(message: FakeMessage): boolean {
        return message.text !== '' && super.isForUs(message);
      }
    },
  ],
  [
    'takes the first message of a channel behind the second',
    'order is kept in each of several channels',
    class extends FakeConnector {
      readonly #late = new Map<string, FakeMessage | undefined>();
      protected override async take(message: FakeMessage): Promise<void> {
        const { channel } = message;
        if (!this.#late.has(channel)) {
          this.#late.set(channel, message);
          return;
        }
        await super.take(message);
        const late = this.#late.get(channel);
        this.#late.set(channel, undefined);
        if (late !== undefined) await super.take(late);
      }
    },
  ],
  [
    'has one channel id for all',
    'order is kept in each of several channels',
    class extends FakeConnector {
      protected override toEnvelope(message: FakeMessage): IngressEnvelope {
        return { ...super.toEnvelope(message), channel: { id: 'all', kind: 'channel' } };
      }
    },
  ],
  [
    'loses what arrives while a publish is under way',
    'while the bus is away nothing is lost',
    class extends FakeConnector {
      #busy = false;
      protected override async take(message: FakeMessage): Promise<void> {
        if (this.#busy) return;
        this.#busy = true;
        await super.take(message).finally(() => (this.#busy = false));
      }
    },
  ],
  [
    'counts messages before the bus has them',
    'while the bus is away nothing is lost',
    class extends FakeConnector {
      protected override async take(message: FakeMessage): Promise<void> {
        this.counters.received += 1;
        await super.take(message);
        this.counters.received -= 1;
      }
    },
  ],
  [
    'leaves a refused message behind',
    'a message that the bus refused comes again with the same id',
    class extends FakeConnector {
      protected override take(message: FakeMessage): Promise<void> {
        return super.take(message).catch(() => undefined);
      }
    },
  ],
  [
    'gives a message another id when it comes again',
    'a message that the bus refused comes again with the same id',
    class extends FakeConnector {
      #tries = 0;
      protected override toEnvelope(message: FakeMessage): IngressEnvelope {
        const envelope = super.toEnvelope(message);
        return { ...envelope, id: `${envelope.id}-${(this.#tries += 1)}` };
      }
    },
  ],
];
