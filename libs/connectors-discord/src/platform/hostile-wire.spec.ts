import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ingressEnvelopeSchema } from '@bitbrat/envelope';
import { ManualClock } from '@bitbrat/foundation/testing';
import fc from 'fast-check';
import { DiscordEnvelopeBuilder } from '../inbound/discord-envelope-builder.js';
import { DISPATCHES, readNews } from '../session/gateway-events.js';
import { MessageIntake } from '../inbound/message-intake.js';

const TEXT = 'the text that must arrive';

const id = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String);

/** What may stand where something else is documented. */
const junk = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, '', '0', 0, -1, NaN, true, [], {}, [null], 'x'.repeat(5_000)),
  fc.anything({ maxDepth: 3, withBigInt: false }),
);

/** A message in which every field may be what it should be, something else, or missing. */
const message = fc.record(
  {
    id: fc.oneof({ weight: 9, arbitrary: id }, junk),
    channel_id: fc.oneof({ weight: 9, arbitrary: id }, junk),
    guild_id: fc.oneof(id, junk),
    author: fc.oneof(
      {
        weight: 9,
        arbitrary: fc.record({ id, username: fc.string(), global_name: junk, bot: fc.boolean() }),
      },
      junk,
    ),
    member: fc.oneof(fc.record({ nick: junk, roles: fc.array(fc.oneof(id, junk)) }), junk),
    content: fc.oneof({ weight: 9, arbitrary: fc.string({ unit: 'binary' }) }, junk),
    timestamp: fc.oneof(
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.string(),
      junk,
    ),
    edited_timestamp: fc.oneof(fc.constant('2026-11-20T09:15:30.123000+00:00'), junk),
    type: fc.oneof(fc.constantFrom(0, 19), fc.integer(), junk),
    mentions: fc.oneof(fc.array(fc.oneof(fc.record({ id }), junk)), junk),
    attachments: fc.oneof(
      fc.array(
        fc.oneof(
          fc.record({ url: fc.oneof(fc.webUrl(), junk), filename: junk, size: junk, content_type: junk }),
          junk,
        ),
      ),
      junk,
    ),
    embeds: junk,
    components: junk,
    sticker_items: fc.oneof(fc.array(fc.record({ name: junk })), junk),
    poll: junk,
    message_reference: fc.oneof(fc.record({ type: junk, message_id: fc.oneof(id, junk) }), junk),
  },
  { requiredKeys: [] },
);

const guild = fc.record(
  { id: fc.oneof(id, junk), unavailable: junk, channels: fc.oneof(fc.array(junk), junk), threads: junk },
  { requiredKeys: [] },
);

const frame = fc.oneof(message, guild, fc.record({ user: fc.record({ id }), guilds: junk }), junk);

const noGuild = { kind: 'direct' } as const;

/** What the intake publishes of a dispatch, through the whole way of a message. */
async function publish(dispatch: (typeof DISPATCHES)[number], wire: unknown): Promise<unknown[]> {
  const published: unknown[] = [];
  const intake = new MessageIntake({
    builder: new DiscordEnvelopeBuilder('internal.egress.v1.i1'),
    publish: (envelope) => {
      published.push(envelope);
      return Promise.resolve();
    },
    botUserId: () => '1',
    rolesOf: () => [],
    clock: new ManualClock(),
    logger: new RecordingLogger(),
    onReceived: () => undefined,
    onIgnored: () => undefined,
    onContentMissing: () => undefined,
  });
  for (const news of readNews(dispatch, wire)) {
    if (news.kind === 'event') await intake.take(news.event, noGuild);
  }
  return published;
}

describe('frames of any shape', () => {
  it.each(DISPATCHES)('%s is read without an exception, and what is published is valid', async (dispatch) => {
    await fc.assert(
      fc.asyncProperty(frame, async (wire) => {
        for (const envelope of await publish(dispatch, wire)) ingressEnvelopeSchema.parse(envelope);
      }),
      { numRuns: 60 },
    );
  });

  it('lose no text for a part beside it that is not as documented', async () => {
    const parts = fc.record(
      {
        member: junk,
        timestamp: junk,
        mentions: fc.oneof(fc.array(junk), junk),
        attachments: fc.oneof(fc.array(junk), junk),
        embeds: junk,
        components: junk,
        sticker_items: fc.oneof(fc.array(junk), junk),
        poll: junk,
        message_reference: junk,
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(parts, id, async (extra, messageId) => {
        const author = { id: '11', username: 'ada' };
        const wire = { ...extra, id: messageId, channel_id: '3', author, content: TEXT, type: 0 };
        expect(await publish('MESSAGE_CREATE', wire)).toMatchObject([{ text: TEXT }]);
      }),
    );
  });

  it.each([
    ['mentions', { id: '12' }],
    ['attachments', { url: 'https://x.example/a' }],
    ['embeds', {}],
    ['sticker_items', { name: 'Wave' }],
  ])('with a very long list of %s are read in linear time', async (field, entry) => {
    const wire = {
      id: '5',
      channel_id: '3',
      author: { id: '11', username: 'ada' },
      content: TEXT,
      type: 0,
      timestamp: '',
    };
    const cost = async (count: number): Promise<number> => {
      const before = process.cpuUsage();
      await publish('MESSAGE_CREATE', { ...wire, [field]: Array.from({ length: count }, () => entry) });
      const { system, user } = process.cpuUsage(before);
      return (system + user) / 1_000;
    };
    await cost(1_000);
    // Milliseconds of CPU. A quadratic way would take minutes.
    expect(await cost(20_000)).toBeLessThan(5_000);
  });
});
