import { ConnectorError, type SendOptions } from '@bitbrat/connectors-core';
import { ManualClock, settle } from '@bitbrat/foundation/testing';
import { type ClientSession } from '../session/client-session.js';
import { MessageSender } from './message-sender.js';

const CONVERSATION = `CH${'0'.repeat(32)}`;

/** Steps that come before a text is handed to the SDK, each of which may take long. */
const STEPS = ['conversation', 'roster', 'opt-out', 'join', 'join after a refusal', 'earlier sends'] as const;
type Step = (typeof STEPS)[number];

/** A platform that is slow at one step; what happens meanwhile is up to the test. */
class SlowPlatform {
  readonly clock = new ManualClock();
  readonly sent: string[] = [];
  readonly session = { isConnected: true };
  readonly sender: MessageSender;

  constructor(
    private readonly slow: Step,
    private readonly meanwhile: (platform: SlowPlatform) => Promise<void> | void,
  ) {
    let tries = 0;
    const phone = { type: 'sms', sid: 'MB1', bindings: { sms: { address: '+15550100' } } };
    const conversation = {
      sid: CONVERSATION,
      status: slow === 'join' ? 'notParticipating' : 'joined',
      getParticipants: () => this.#at('roster', [phone]),
      sendMessage: (body: string) => {
        tries += 1;
        if (slow === 'join after a refusal' && tries === 1) {
          return Promise.reject(Object.assign(new Error('Forbidden'), { status: 403 }));
        }
        this.sent.push(body);
        return Promise.resolve(this.sent.length - 1);
      },
      getMessages: () =>
        Promise.resolve({ items: this.sent.map((_, index) => ({ index, sid: `IM${index}` })) }),
    };
    const session = Object.assign(this.session, {
      toldWaitMs: undefined,
      conversation: () => this.#at('conversation', conversation),
    });
    this.sender = new MessageSender({
      rest: { newestMessages: () => this.#earlier() },
      identity: 'bot',
      clock: this.clock,
      session: () => session as unknown as ClientSession, // the part that a send uses
      join: () => this.#at(slow === 'join' ? 'join' : 'join after a refusal', true),
      isOptedOut: () => this.#at('opt-out', false),
      onOptedOut: () => undefined,
      onSent: () => undefined,
      onAccepted: () => undefined,
    });
  }

  send(options: Partial<SendOptions> = {}): Promise<unknown> {
    const sending = this.sender
      .send('hi', CONVERSATION, { idempotencyKey: 'k', mayHaveBeenSent: true, ...options })
      .catch((error: unknown) => error);
    return settle().then(() => sending);
  }

  async #at<T>(step: Step, result: T): Promise<T> {
    if (step === this.slow) await this.meanwhile(this);
    return result;
  }

  async *#earlier(): AsyncGenerator<never> {
    await this.#at('earlier sends', undefined);
    yield* [];
  }
}

describe.each(STEPS)('a message whose step "%s" takes long', (step) => {
  it.each([
    [999, ['hi']],
    [1_000, []],
    [60_000, []],
  ])('and %i of 1,000 ms until its expiry leaves: %j', async (tookMs, sent) => {
    const platform = new SlowPlatform(step, ({ clock }) => clock.advance(tookMs));
    const result = await platform.send({ expiresAt: platform.clock.now() + 1_000 });
    if (sent.length === 0) expect(result).toMatchObject({ code: 'EXPIRED', ambiguous: false });
    else expect(result).toMatchObject({ platformMessageIds: ['IM0'] });
    expect(platform.sent).toEqual(sent);
  });

  it('is not left to the SDK where the connection is lost meanwhile', async () => {
    const platform = new SlowPlatform(step, ({ session }) => {
      session.isConnected = false;
    });
    const result = await platform.send();
    expect(result).toBeInstanceOf(ConnectorError);
    expect(result).toMatchObject({ code: 'NOT_CONNECTED', ambiguous: false });
    expect(platform.sent).toEqual([]);
  });
});
