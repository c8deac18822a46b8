import {
  ConnectorError,
  type CursorStore,
  type SendOptions,
  type SendReceipt,
} from '@bitbrat/connectors-core';
import { MemoryCursors, RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock, settle } from '@bitbrat/foundation/testing';
import { type ChannelView } from '../session/channel-joiner.js';
import { canonicalChannel } from './message-parts.js';
import { MessageSender } from './message-sender.js';
import { type ChatStanding } from '../session/rate-limit.js';

/** What a text without a space gets at its end. */
const VARIED = 'hi \u034f';

/** What Twitch answers to a message: a NOTICE by its id, nothing, or a confirmation. */
type Answer = { readonly notice: string } | 'silence' | 'confirm';

interface ChatOptions {
  readonly clock?: ManualClock;
  readonly cursors?: CursorStore;
  readonly maxWaitMs?: number;
}

let processes = 0;

/** A chat that keeps the lines written to it and answers by hand. */
class Chat {
  readonly clock: ManualClock;
  readonly lines: string[] = [];
  readonly channels = new Map<string, ChannelView>();
  readonly sender: MessageSender;
  answer: Answer = 'confirm';
  /** Come before `answer`, one each. */
  readonly answers: Answer[] = [];
  isOpen = true;
  noticeText = 'Twitch says no for 7 seconds';
  echoesNonces = true;
  /** When Twitch was found not to answer, and until when; then when it answered again. */
  readonly mutes: (readonly [number, number] | 'heard')[] = [];
  /** Reported holds. */
  readonly holds: string[] = [];
  #ids = 0;

  constructor(
    standing: ChatStanding = 'privileged',
    { clock, cursors, maxWaitMs = 10_000 }: ChatOptions = {},
  ) {
    this.clock = clock ?? new ManualClock();
    for (const channel of ['a', 'b']) this.channels.set(channel, { status: 'joined', standing });
    this.sender = new MessageSender({
      channels: ['a', 'b', 'c'],
      clock: this.clock,
      confirmMs: 10_000,
      maxWaitMs,
      cursors: cursors ?? new MemoryCursors(),
      logger: new RecordingLogger(),
      processId: `process ${(processes += 1)}`,
      session: () => {
        if (!this.isOpen) throw new ConnectorError('NOT_CONNECTED', 'no');
        return this.session;
      },
      onMuted: (_, until) => {
        this.mutes.push([this.clock.now(), until]);
      },
      onHeard: () => {
        this.mutes.push('heard');
      },
      holdReporter: {
        held: (channel) => this.holds.push(`${channel} held`),
        released: (channel) => this.holds.push(`${channel} released`),
      },
    });
    this.sender.begin();
  }

  /** The connection that is used. */
  session = {
    channels: this.channels,
    send: (line: string): void => {
      this.send(line);
    },
  };

  get texts(): string[] {
    return this.lines.map((line) => line.slice(line.indexOf(' :') + 2));
  }

  readonly send = (line: string): void => {
    this.lines.push(line);
    const answer = this.answers.shift() ?? this.answer;
    if (answer === 'silence') return;
    if (answer === 'confirm') this.confirm(line);
    else this.tell('NOTICE', line, { 'msg-id': answer.notice }, [this.noticeText]);
  };

  confirm(line: string): void {
    const nonce = /client-nonce=(\w+)/.exec(line)?.[1] ?? '';
    const id = `id-${(this.#ids += 1)}`;
    this.tell('USERSTATE', line, this.echoesNonces ? { id, 'client-nonce': nonce } : { id }, []);
  }

  tell(
    command: string,
    line: string,
    tags: Readonly<Record<string, string>>,
    rest: readonly string[],
    via: object = this.session,
  ): void {
    const channel = /PRIVMSG (#\w+)/.exec(line)?.[1] ?? '';
    const parsed = { command, tags, source: 'tmi.twitch.tv', params: [channel, ...rest], raw: '' };
    this.sender.onLine(parsed, via);
  }

  /** As `say`, with the time that it takes. */
  async saySlowly(text: string, options: Partial<SendOptions> = {}): Promise<SendReceipt> {
    const sending = this.say(text, options);
    sending.catch(() => undefined);
    await this.clock.advance(3_000);
    return sending;
  }

  say(text: string, options: Partial<SendOptions> = {}, destination = 'a'): Promise<SendReceipt> {
    const idempotencyKey = `key-${this.#ids}-${this.lines.length}`;
    return this.sender.send(text, destination, { idempotencyKey, mayHaveBeenSent: false, ...options });
  }
}

/** A store that does not answer. */
const AWAY: CursorStore = {
  load: () => Promise.reject(new Error('away')),
  save: () => Promise.reject(new Error('away')),
};

/** A chat, and the one of the process that follows it. */
async function restarted(before: (chat: Chat) => Promise<void>): Promise<{ chat: Chat; next: Chat }> {
  const cursors = new MemoryCursors();
  const chat = new Chat('ordinary', { cursors });
  await before(chat);
  await chat.sender.stop(0);
  return { chat, next: new Chat('ordinary', { clock: chat.clock, cursors }) };
}

describe('MessageSender', () => {
  it('resolves with the id that Twitch confirms', async () => {
    const chat = new Chat();
    const receipt = await chat.say('hi', { inReplyTo: 'b34ccfc7-4977' });
    expect(receipt).toEqual({ platformMessageIds: ['id-1'], duplicate: false });
    expect(chat.lines[0]).toMatch(
      /^@client-nonce=[0-9a-f]{32};reply-parent-msg-id=b34ccfc7-4977 PRIVMSG #a :hi$/,
    );
    expect(chat.clock.pendingTimers).toBe(0);
  });

  it('answers with the first part only', async () => {
    const chat = new Chat();
    const { platformMessageIds } = await chat.say('word '.repeat(200), { inReplyTo: 'x' });
    expect(platformMessageIds).toHaveLength(3);
    expect(chat.lines.map((line) => line.includes('reply-parent'))).toEqual([true, false, false]);
  });

  it.each([
    ['@alice', 'UNSUPPORTED'],
    ['nobody', 'TARGET_NOT_FOUND'],
    ['a b', 'TARGET_NOT_FOUND'],
    ['a\r\nJOIN #x', 'TARGET_NOT_FOUND'],
    ['c', 'NOT_CONNECTED'],
  ])('to %j is %s', async (destination, code) => {
    const chat = new Chat();
    await expect(chat.say('hi', {}, destination)).rejects.toMatchObject({ code });
    expect(chat.lines).toEqual([]);
  });

  it.each(['#a', 'A', '#A'])('knows #a as %s, too', async (destination) => {
    const chat = new Chat();
    await chat.say('hi', {}, destination);
    expect(chat.lines[0]).toContain(' PRIVMSG #a :');
    expect(canonicalChannel(destination)).toBe('a');
  });

  it('into a channel that did not let the bot in says why', async () => {
    const chat = new Chat();
    chat.channels.set('a', { status: 'refused', error: new ConnectorError('FORBIDDEN', 'banned') });
    await expect(chat.say('hi')).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'banned' });
  });

  it.each(['a\r\nPRIVMSG #x :y', 'a b', 'a;badges=x', ''])(
    'refuses %j as the message that is answered',
    async (inReplyTo) => {
      await expect(new Chat().say('hi', { inReplyTo })).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' });
    },
  );

  it.each([
    ['msg_banned', 'FORBIDDEN', undefined],
    ['msg_slowmode', 'RATE_LIMITED', 7_000],
    ['msg_rejected', 'PAYLOAD_INVALID', undefined],
  ])('refused with %s rejects with %s', async (notice, code, retryAfterMs) => {
    const chat = new Chat();
    chat.answer = { notice };
    await expect(chat.say('hi')).rejects.toMatchObject({ code, nativeCode: notice, retryAfterMs });
  });

  it('leaves a channel alone for as long as Twitch asks, and no other', async () => {
    const chat = new Chat('privileged', { maxWaitMs: 0 });
    chat.answers.push({ notice: 'msg_slowmode' });
    await expect(chat.say('hi')).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 7_000 });
    await chat.say('hi', {}, 'b');
    await expect(chat.say('hi')).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 7_000 });
    await chat.clock.advance(7_000);
    await chat.say('hi');
    expect(chat.lines).toHaveLength(3);
  });

  describe('that expires while it waits', () => {
    const waits: Readonly<Record<string, (chat: Chat) => Promise<unknown>>> = {
      'for its turn in a slow room': async (chat) => {
        chat.answers.push({ notice: 'msg_slowmode' });
        await chat.say('hi').catch(() => undefined);
      },
      'for the budget of the account': async (chat) => {
        for (let i = 0; i < 30; i += 1) {
          chat.say(`text ${i}`, { idempotencyKey: `${i}` }, 'b').catch(() => undefined);
        }
        await chat.clock.advance(25_000);
      },
      'until Twitch takes the same text again': async (chat) => {
        await chat.saySlowly('late');
        chat.answers.push({ notice: 'msg_duplicate' });
      },
      'behind another message without an answer': (chat) => {
        chat.answers.push('silence');
        chat.say('first').catch(() => undefined);
        return Promise.resolve();
      },
    };

    it.each(Object.keys(waits))('%s, is not written', async (name) => {
      const chat = new Chat('ordinary', { maxWaitMs: 60_000 });
      await waits[name]?.(chat);
      const writtenAt: number[] = [];
      const write = chat.send;
      chat.session.send = (line) => {
        if (line.endsWith(':late') || line.includes(':late ')) writtenAt.push(chat.clock.now());
        write(line);
      };
      const expiresAt = chat.clock.now() + 500;
      const late = chat.say('late', { idempotencyKey: 'late', expiresAt }).then(
        () => 'sent',
        (error: unknown) => (error instanceof ConnectorError ? error.code : error),
      );
      await chat.clock.advance(60_000);
      expect(['EXPIRED', 'RATE_LIMITED']).toContain(await late);
      expect(writtenAt.filter((at) => at >= expiresAt)).toEqual([]);
      await chat.saySlowly('next', { idempotencyKey: 'next' });
      expect(chat.texts.at(-1)).toBe('next');
    });
  });

  it('comes back soon where it was too fast, and later where it still is', async () => {
    const chat = new Chat('ordinary', { maxWaitMs: 0 });
    chat.noticeText = 'Twitch says no';
    const waits: unknown[] = [];
    for (const answer of [
      { notice: 'msg_ratelimit' },
      { notice: 'msg_ratelimit' },
      'confirm',
      { notice: 'msg_ratelimit' },
    ] as const) {
      chat.answer = answer;
      const error: unknown = await chat.say('hi').catch((reason: unknown) => reason);
      waits.push(error instanceof ConnectorError ? error.retryAfterMs : 'sent');
      await chat.clock.advance(60_000);
    }
    expect(waits).toEqual([1_200, 30_000, 'sent', 1_200]);
  });

  describe('into a channel where the bot is timed out', () => {
    const timedOut = async (standing: ChatStanding, seconds: number, maxWaitMs = 0): Promise<Chat> => {
      const chat = new Chat(standing, { maxWaitMs });
      chat.noticeText = `You are timed out for ${seconds} more seconds.`;
      chat.answers.push({ notice: 'msg_timedout' });
      await expect(chat.say('hi')).rejects.toMatchObject({ nativeCode: 'msg_timedout' });
      return chat;
    };
    const isHeld = async (chat: Chat): Promise<boolean> => {
      const before = chat.lines.length;
      await chat.say('hi').catch(() => undefined);
      return chat.lines.length === before;
    };

    it.each([61, 900, 901, 86_400, 1_209_600, 999_999_999])(
      'is tried again after 15 minutes at most: %d s',
      async (seconds) => {
        const chat = await timedOut('ordinary', seconds);
        const heldMs = Math.min(seconds, 900) * 1_000;
        await chat.clock.advance(heldMs - 1);
        expect(await isHeld(chat)).toBe(true);
        expect(chat.holds).toEqual(['a held']);
        await chat.clock.advance(1);
        expect(await isHeld(chat)).toBe(false);
        expect(chat.holds).toEqual(['a held', 'a released']);
        expect(chat.clock.pendingTimers).toBe(0);
      },
    );

    it('does not report a minute', async () => {
      const chat = await timedOut('ordinary', 60);
      expect(chat.holds).toEqual([]);
      await chat.sender.stop(0);
      expect(chat.clock.pendingTimers).toBe(0);
    });

    it.each([
      ['ordinary', 'privileged', 'moderator/1', true],
      ['ordinary', 'vip', 'vip/1', true],
      ['ordinary', 'privileged', 'broadcaster/1', true],
      ['vip', 'privileged', 'moderator/1', true],
      ['ordinary', 'ordinary', '', false],
      ['vip', 'vip', 'vip/1', false],
    ] as const)(
      'as %s goes on at once when it is %s, badges=%s: %s',
      async (before, after, badges, goesOn) => {
        const chat = await timedOut(before, 86_400, 1_000_000);
        const waiting = chat.say('waiting', { idempotencyKey: 'w' });
        await settle();
        expect(chat.lines).toHaveLength(1);
        chat.channels.set('a', { status: 'joined', standing: after });
        chat.tell('USERSTATE', 'PRIVMSG #a', { badges }, []);
        await settle();
        expect([chat.lines.length, chat.holds]).toEqual(
          goesOn ? [2, ['a held', 'a released']] : [1, ['a held']],
        );
        await chat.clock.advance(900_000);
        await waiting;
      },
    );

    it('is forgotten at a stop, with its timer and its report', async () => {
      const chat = await timedOut('ordinary', 86_400);
      await chat.sender.stop(0);
      expect([chat.holds, chat.clock.pendingTimers]).toEqual([['a held', 'a released'], 0]);
    });
  });

  it('without an answer is ambiguous after the time limit', async () => {
    const chat = new Chat();
    chat.answer = 'silence';
    const sending = expect(chat.say('hi')).rejects.toMatchObject({ code: 'TIMEOUT', ambiguous: true });
    await chat.clock.advance(10_000);
    await sending;
  });

  it('takes a late confirmation for what it is', async () => {
    const chat = new Chat();
    chat.answer = 'silence';
    const first = chat.say('first', { idempotencyKey: 'k' }).catch((error: unknown) => error);
    await chat.clock.advance(10_000);
    await expect(first).resolves.toMatchObject({ code: 'TIMEOUT' });
    const second = chat.say('second');
    await settle();
    chat.confirm(chat.lines[0] ?? '');
    await settle();
    chat.confirm(chat.lines[1] ?? '');
    await expect(second).resolves.toMatchObject({ platformMessageIds: ['id-2'] });
    const again = await chat.say('first', { idempotencyKey: 'k', mayHaveBeenSent: true });
    expect(again).toEqual({ platformMessageIds: ['id-1'], duplicate: true });
    expect(chat.lines).toHaveLength(2);
  });

  it('works by order where Twitch gives no nonce back', async () => {
    const chat = new Chat();
    chat.echoesNonces = false;
    await expect(chat.say('hi')).resolves.toMatchObject({ platformMessageIds: ['id-1'] });
  });

  it('sends a repeated call of one key once', async () => {
    const chat = new Chat();
    const first = await chat.say('hi', { idempotencyKey: 'k' });
    const second = await chat.say('hi', { idempotencyKey: 'k', mayHaveBeenSent: true });
    expect(second).toEqual({ ...first, duplicate: true });
    expect(chat.lines).toHaveLength(1);
  });

  describe('with the text of the message before', () => {
    it('varies it for an ordinary user, within half a minute only, and not for a moderator', async () => {
      const chat = new Chat('ordinary');
      for (let i = 0; i < 3; i++) {
        await chat.say('hi');
        await chat.clock.advance(2_000);
      }
      await chat.clock.advance(29_000);
      await chat.say('hi');
      expect(chat.texts).toEqual(['hi', VARIED, 'hi', 'hi']);
      for (const standing of ['vip', 'privileged'] as const) {
        const trusted = new Chat(standing);
        for (let i = 0; i < 2; i++) await trusted.say('hi');
        expect(trusted.texts).toEqual(['hi', 'hi']);
      }
    });

    it('does not vary what another channel got', async () => {
      const chat = new Chat('ordinary');
      await chat.say('hi');
      await chat.say('hi', {}, 'b');
      expect(chat.texts).toEqual(['hi', 'hi']);
    });

    it.each(['hi', VARIED])('retries to the letter, so that Twitch sees it: %j', async (text) => {
      const chat = new Chat('ordinary');
      if (text !== 'hi') await chat.saySlowly('hi');
      chat.answer = 'silence';
      const lost = chat.say('hi', { idempotencyKey: 'k' }).catch(() => undefined);
      await chat.clock.advance(10_000);
      await lost;
      chat.answer = { notice: 'msg_duplicate' };
      const receipt = await chat.say('hi', { idempotencyKey: 'k', mayHaveBeenSent: true });
      expect(chat.texts.slice(-2)).toEqual([text, text]);
      const nonce = /client-nonce=(\w+)/.exec(chat.lines.at(-1) ?? '')?.[1];
      expect(receipt).toEqual({ platformMessageIds: [`nonce:${nonce ?? ''}`], duplicate: true });
    });

    it('takes msg_duplicate for its own earlier try after a restart of the process', async () => {
      const { chat, next } = await restarted(async (before) => {
        before.answer = 'silence';
        const lost = before.say('hi', { idempotencyKey: 'k' }).catch((error: unknown) => error);
        await before.clock.advance(10_000);
        await lost;
      });
      next.answer = { notice: 'msg_duplicate' };
      await expect(next.say('hi', { idempotencyKey: 'k', mayHaveBeenSent: true })).resolves.toMatchObject({
        duplicate: true,
      });
      expect([chat.lines.length, next.lines.length]).toEqual([1, 1]);
    });

    it('takes msg_duplicate for nothing of the kind where the event was never tried', async () => {
      const { next } = await restarted(async (before) => {
        await before.say('hi', { idempotencyKey: 'one' });
      });
      await next.clock.advance(1_000);
      next.answers.push({ notice: 'msg_duplicate' });
      await expect(next.saySlowly('hi', { idempotencyKey: 'two', mayHaveBeenSent: true })).resolves.toEqual({
        platformMessageIds: ['id-1'],
        duplicate: false,
      });
      expect(next.texts).toEqual(['hi', VARIED]);
    });

    it('nor where the try was refused', async () => {
      const chat = new Chat('ordinary');
      chat.answers.push({ notice: 'msg_slowmode' });
      await expect(chat.say('hi', { idempotencyKey: 'one' })).rejects.toMatchObject({ code: 'RATE_LIMITED' });
      await chat.clock.advance(7_000);
      await chat.say('hi', { idempotencyKey: 'two' });
      await chat.clock.advance(2_000);
      chat.answers.push({ notice: 'msg_duplicate' });
      await expect(chat.say('hi', { idempotencyKey: 'one', mayHaveBeenSent: true })).rejects.toMatchObject({
        code: 'RATE_LIMITED',
        nativeCode: 'msg_duplicate',
        ambiguous: false,
      });
    });

    it('says that nobody knows where the store does not tell what was tried', async () => {
      const chat = new Chat('ordinary', { cursors: AWAY, maxWaitMs: 40_000 });
      chat.answer = { notice: 'msg_duplicate' };
      const sending = expect(chat.say('hi', { mayHaveBeenSent: true })).rejects.toMatchObject({
        ambiguous: true,
      });
      await chat.clock.advance(40_000);
      await sending;
      expect(chat.lines).toHaveLength(1);
    });

    it.each([
      ['a word', 'hi', VARIED],
      ['a sentence', 'hi there', 'hi  there'],
    ])('waits half a minute where Twitch sees through the variation of %s', async (_, text, varied) => {
      const chat = new Chat('ordinary', { maxWaitMs: 10_000 });
      await chat.say(text, { idempotencyKey: 'one' });
      await chat.clock.advance(5_000);
      const second = { idempotencyKey: 'two', mayHaveBeenSent: false };
      chat.answers.push({ notice: 'msg_duplicate' });
      await expect(chat.say(text, second)).rejects.toMatchObject({
        code: 'RATE_LIMITED',
        nativeCode: 'msg_duplicate',
        retryAfterMs: 26_000,
        ambiguous: false,
      });
      await chat.clock.advance(26_000);
      await expect(chat.say(text, second)).resolves.toMatchObject({ duplicate: false });
      expect(chat.texts).toEqual([text, varied, text]);
    });

    it('waits within a text that has begun', async () => {
      const chat = new Chat('ordinary');
      const words = `${'word '.repeat(97)}word`;
      const sending = chat.say(`${words} ${words}`);
      await settle();
      chat.answers.push({ notice: 'msg_duplicate' }, { notice: 'msg_duplicate' });
      await chat.clock.advance(60_000);
      await expect(sending).resolves.toMatchObject({ duplicate: false });
      expect(chat.lines.length).toBeGreaterThanOrEqual(4);
    });

    it('sends it varied where it is new and somebody else has used the account', async () => {
      const chat = new Chat('ordinary');
      chat.answers.push({ notice: 'msg_duplicate' });
      await expect(chat.saySlowly('hi')).resolves.toEqual({ platformMessageIds: ['id-1'], duplicate: false });
      expect(chat.texts).toEqual(['hi', VARIED]);
    });

    it('takes another event with the same text for another message, though it may have been sent', async () => {
      const chat = new Chat('ordinary');
      await chat.saySlowly('hi', { idempotencyKey: 'one' });
      await expect(
        chat.saySlowly('hi', { idempotencyKey: 'two', mayHaveBeenSent: true }),
      ).resolves.toMatchObject({
        duplicate: false,
      });
      expect(chat.texts).toEqual(['hi', VARIED]);
    });
  });

  it('goes on with a long text where it broke off', async () => {
    const chat = new Chat();
    const text = 'word '.repeat(200);
    chat.answer = 'silence';
    const broken = chat.say(text, { idempotencyKey: 'k' }).catch((error: unknown) => error);
    await settle();
    chat.confirm(chat.lines[0] ?? '');
    await chat.clock.advance(10_000);
    await expect(broken).resolves.toMatchObject({ code: 'TIMEOUT', sentMessageIds: ['id-1'] });
    chat.answer = 'confirm';
    const receipt = await chat.say(text, { idempotencyKey: 'k', mayHaveBeenSent: true });
    expect(receipt).toEqual({ platformMessageIds: ['id-1', 'id-2', 'id-3'], duplicate: false });
    expect([...chat.texts.slice(0, 1), ...chat.texts.slice(2)].join('')).toBe(text);
    expect(chat.texts[1]).toBe(chat.texts[2]);
  });

  it('keeps the order of the calls in one channel, side by side with another', async () => {
    const chat = new Chat();
    chat.answer = 'silence';
    const all = [chat.say('a1'), chat.say('a2', { idempotencyKey: 'a2' }), chat.say('b1', {}, 'b')];
    await settle();
    expect(chat.texts).toEqual(['a1', 'b1']);
    chat.answer = 'confirm';
    for (const line of [...chat.lines]) chat.confirm(line);
    await Promise.all(all);
    expect(chat.texts).toEqual(['a1', 'b1', 'a2']);
  });

  it('gives up when aborted; what was waiting is never sent', async () => {
    const chat = new Chat();
    chat.answer = 'silence';
    const first = chat.say('first').catch(() => undefined);
    const abort = new AbortController();
    const second = chat.say('second', { idempotencyKey: 's', signal: abort.signal });
    await settle();
    abort.abort();
    await expect(second).rejects.toMatchObject({ code: 'TIMEOUT' });
    await chat.clock.advance(10_000);
    await first;
    expect(chat.texts).toEqual(['first']);
  });

  it('rejects soon when the connection ends: sent is ambiguous, waiting is not', async () => {
    const chat = new Chat('ordinary');
    chat.answer = 'silence';
    const sent = chat.say('sent').catch((error: unknown) => error);
    const waiting = chat.say('waiting', { idempotencyKey: 'w' }).catch((error: unknown) => error);
    await settle();
    chat.isOpen = false;
    chat.sender.onLost('gone');
    await expect(sent).resolves.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', ambiguous: true });
    await expect(waiting).resolves.toMatchObject({ code: 'NOT_CONNECTED', ambiguous: false });
    expect([chat.texts, chat.clock.pendingTimers]).toEqual([['sent'], 0]);
  });

  it('at a stop lets what is on its way be confirmed, and gives back what waits', async () => {
    const chat = new Chat();
    chat.answer = 'silence';
    const sent = chat.say('sent');
    const waiting = chat.say('waiting', { idempotencyKey: 'w' }).catch((error: unknown) => error);
    await settle();
    chat.isOpen = false;
    const stopped = chat.sender.stop(1_500);
    chat.confirm(chat.lines[0] ?? '');
    await expect(sent).resolves.toMatchObject({ platformMessageIds: ['id-1'] });
    await expect(waiting).resolves.toMatchObject({ code: 'NOT_CONNECTED' });
    await stopped;
    expect(chat.clock.pendingTimers).toBe(0);
  });

  it('at a stop does not wait for ever', async () => {
    const chat = new Chat();
    chat.answer = 'silence';
    const sent = chat.say('sent').catch((error: unknown) => error);
    await settle();
    const stopped = chat.sender.stop(1_500);
    await chat.clock.advance(1_500);
    await stopped;
    await expect(sent).resolves.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', ambiguous: true });
    expect(chat.clock.pendingTimers).toBe(0);
  });

  describe('while Twitch answers nothing', () => {
    /** Sends until the clock has moved on by `ms`; what is given back is sent again. @returns the codes of what failed */
    async function sendFor(chat: Chat, ms: number, stepMs = 10_000): Promise<Record<string, number>> {
      const codes: Record<string, number> = {};
      const end = chat.clock.monotonic() + ms;
      for (let i = 0; chat.clock.monotonic() < end; i++) {
        const sending = chat.say(`text ${i}`).then(
          () => 'sent',
          (error: unknown) => (error instanceof ConnectorError ? error.code : 'other'),
        );
        await chat.clock.advance(stepMs);
        const code = await sending;
        codes[code] = (codes[code] ?? 0) + 1;
      }
      return codes;
    }

    it('holds the messages back instead of losing one after the other, and says until when', async () => {
      const chat = new Chat('ordinary');
      chat.answer = 'silence';
      const codes = await sendFor(chat, 30 * 60_000, 30_000);
      expect(codes['TIMEOUT']).toBeLessThanOrEqual(4);
      expect(codes['RATE_LIMITED']).toBeGreaterThan(50);
      const holds = chat.mutes.map((mute) => (mute === 'heard' ? mute : mute[1] - mute[0]));
      expect(holds).toEqual([5_000, 30_000, 30 * 60_000]);
      chat.answer = 'confirm';
      await sendFor(chat, 5 * 60_000, 30_000);
      expect(chat.mutes.at(-1)).toBe('heard');
      expect(await sendFor(chat, 60_000)).toEqual({ sent: 6 });
    });

    it('goes on after one message without an answer, and after a refusal', async () => {
      const chat = new Chat('ordinary');
      chat.answers.push('silence', { notice: 'msg_rejected' }, 'silence', 'confirm', 'silence');
      await sendFor(chat, 50_000);
      expect(chat.mutes).toEqual([]);
    });

    it('sends one message at a time to all channels once it has doubts', async () => {
      const chat = new Chat('ordinary');
      chat.answer = 'silence';
      const first = chat.say('first').catch(() => undefined);
      await chat.clock.advance(10_000);
      await first;
      const all = ['a', 'b'].map((channel) =>
        chat.say('more', { idempotencyKey: channel }, channel).catch(() => undefined),
      );
      await chat.clock.advance(5_000);
      expect(chat.lines).toHaveLength(2);
      await chat.clock.advance(60_000);
      await Promise.all(all);
    });

    it('leaves moderators alone, whom Twitch does not ignore', async () => {
      const chat = new Chat('privileged');
      chat.answer = 'silence';
      expect(await sendFor(chat, 60_000)).toEqual({ TIMEOUT: 6 });
      expect(chat.mutes).toEqual([]);
    });

    it('is over with the connection that gave no answers', async () => {
      const chat = new Chat('ordinary');
      chat.answer = 'silence';
      await sendFor(chat, 20_000);
      chat.sender.onLost('half-open');
      chat.answer = 'confirm';
      expect(await sendFor(chat, 20_000)).toEqual({ sent: 2 });
      expect(chat.mutes.at(-1)).toBe('heard');
    });

    it('is known to the next process', async () => {
      const { next } = await restarted(async (before) => {
        before.answer = 'silence';
        await sendFor(before, 3 * 60_000, 30_000);
      });
      await settle();
      expect(next.mutes).toHaveLength(1);
      await expect(next.say('hi')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
      await next.clock.advance(30 * 60_000);
      await next.say('hi');
      expect(next.mutes.at(-1)).toBe('heard');
    });
  });

  describe('while the connection is replaced', () => {
    it('believes the answer of the connection that a message went by alone', async () => {
      const chat = new Chat();
      chat.echoesNonces = false;
      chat.answer = 'silence';
      const sending = chat.say('hi');
      await settle();
      const [line = ''] = chat.lines;
      const other = {};
      chat.tell('USERSTATE', line, { id: 'of another' }, [], other);
      chat.tell('NOTICE', line, { 'msg-id': 'msg_banned' }, ['no'], other);
      chat.tell('USERSTATE', line, {}, []);
      chat.confirm(line);
      await expect(sending).resolves.toMatchObject({ platformMessageIds: ['id-1'] });
    });

    it('doubts only what waits for an answer by the one that ends, and sends the rest by the new one', async () => {
      const chat = new Chat('privileged');
      chat.answer = 'silence';
      const old = chat.session;
      const sent = chat.say('sent').catch((error: unknown) => error);
      const waiting = chat.say('waiting', { idempotencyKey: 'w' });
      await settle();
      expect([chat.sender.isAwaited(old), chat.sender.isAwaited({})]).toEqual([true, false]);
      chat.session = { ...old };
      chat.answer = 'confirm';
      chat.sender.onReplaced('asked for', old);
      await expect(sent).resolves.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', ambiguous: true });
      await expect(waiting).resolves.toMatchObject({ duplicate: false });
      expect(chat.texts).toEqual(['sent', 'waiting']);
    });
  });
});
