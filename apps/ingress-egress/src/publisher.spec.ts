import { createTopics, decodeDeadLetter, decodeStatus, type EgressOutcome } from '@bitbrat/envelope';
import { type Logger, systemClock } from '@bitbrat/foundation';
import { BusError, type BusErrorCode, type MessageBus, type OutgoingMessage } from '@bitbrat/message-bus';
import { toDeadLetter } from './egress/outcomes.js';
import { Publisher } from './publisher.js';

const TOPICS = createTopics();

interface World {
  readonly publisher: Publisher;
  readonly published: OutgoingMessage[];
  readonly logged: string[];
}

/** @param refuse the code with which the bus refuses a message; undefined: it takes it */
function aWorld(refuse: (message: OutgoingMessage) => BusErrorCode | undefined): World {
  const published: OutgoingMessage[] = [];
  const logged: string[] = [];
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (event) => logged.push(event),
  };
  const bus: Pick<MessageBus, 'publish'> = {
    publish: (_topic, message) => {
      const code = refuse(message);
      if (code !== undefined) return Promise.reject(new BusError(code, 'no'));
      published.push(message);
      return Promise.resolve('m');
    },
  };
  const publisher = new Publisher({ bus, topics: TOPICS, clock: systemClock, logger, source: '/test' });
  return { publisher, published, logged };
}

const outcome: EgressOutcome = {
  v: '1',
  id: 'e1:sent',
  type: 'chat.outcome.v1',
  eventId: 'e1',
  correlationId: 'c',
  status: 'sent',
  target: { connector: 'fake', destination: 'x' },
  platformMessageIds: [],
  attempts: 1,
  occurredAt: '2026-01-01T00:00:00.000Z',
};
const error = { code: 'INVALID', message: 'no', retryable: false };
const letter = toDeadLetter(
  { id: 'm1', topic: 't', data: Buffer.from('{"secret":'), attributes: { odd: 'x' } },
  error,
  1,
  0,
);

describe('Publisher', () => {
  it.each(['INVALID_MESSAGE', 'INVALID_NAME'] as const)(
    'reports and gives up what the bus never takes (%s), so that its event is not tried again for it',
    async (code) => {
      const { logged, publisher } = aWorld(() => code);
      await publisher.outcome(outcome);
      await publisher.deadLetter(letter);
      expect(logged).toEqual(['outcome.refused', 'dead-letter.refused', 'dead-letter.lost']);
    },
  );

  it.each(['CLOSED', 'UNAVAILABLE', 'FORBIDDEN', 'NOT_FOUND', 'ABORTED'] as const)(
    'keeps what the bus does not take now (%s)',
    async (code) => {
      const { publisher } = aWorld(() => code);
      await expect(publisher.outcome(outcome)).rejects.toMatchObject({ code });
      await expect(publisher.deadLetter(letter)).rejects.toMatchObject({ code });
    },
  );

  it('publishes a letter without body and attributes where the bus refuses it with them', async () => {
    const { logged, published, publisher } = aWorld(({ data }) =>
      Buffer.from(data).includes('odd') ? 'INVALID_MESSAGE' : undefined,
    );
    await publisher.deadLetter(letter);
    expect(logged).toEqual(['dead-letter.refused']);
    const read = decodeDeadLetter(published[0]?.data ?? Buffer.alloc(0));
    expect(read).toMatchObject({
      ok: true,
      value: { id: letter.id, bodyBytes: 10, bodySha256: letter.bodySha256, bodyBase64: '', truncated: true },
    });
  });

  it('cuts the texts of a status that does not fit', async () => {
    const { published, publisher } = aWorld(() => undefined);
    const long = 'x'.repeat(8_000_000);
    await publisher.status({
      v: '1',
      id: 's',
      type: 'connector.status.v1',
      connector: 'fake',
      instanceId: 'one',
      state: 'failed',
      since: '2026-01-01T00:00:00.000Z',
      error: { code: 'X', message: long, retryable: false },
      hint: long,
      occurredAt: '2026-01-01T00:00:00.000Z',
    });
    const read = decodeStatus(published[0]?.data ?? Buffer.alloc(0));
    expect(read).toMatchObject({ ok: true, value: { hint: `${'x'.repeat(999)}…` } });
  });
});
