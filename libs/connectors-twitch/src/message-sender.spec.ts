import { ConnectorError, type SendOptions, type SendReceipt } from '@bitbrat/connectors-core';
import { ManualClock, settle } from '@bitbrat/connectors-testing';
import { type ChannelView } from './channel-joiner.js';
import { MessageSender } from './message-sender.js';
import { type ChatStanding } from './rate-limit.js';

const INVISIBLE = '\u{E0000}';

/** What Twitch answers to a message: a NOTICE by its id, nothing, or a confirmation. */
type Answer = { readonly notice: string } | 'silence' | 'confirm';

/** A chat that keeps the lines written to it and answers by hand. */
class Chat {
  readonly clock = new ManualClock();
  readonly lines: string[] = [];
  readonly channels = new Map<string, ChannelView>();
  readonly sender: MessageSender;
  answer: Answer = 'confirm';
  /** Come before `answer`, one each. */
  readonly answers: Answer[] = [];
  isOpen = true;
  echoesNonces = true;
  #ids = 0;

  constructor(standing: ChatStanding = 'privileged', maxWaitMs = 10_000) {
    for (const channel of ['a', 'b']) this.channels.set(channel, { status: 'joined', standing });
    this.sender = new MessageSender({
      channels: ['a', 'b', 'c'],
      clock: this.clock,
      confirmMs: 10_000,
      maxWaitMs,
      session: () => {
        if (!this.isOpen) throw new ConnectorError('NOT_CONNECTED', 'no');
        return this;
      },
    });
  }

  get texts(): string[] {
    return this.lines.map((line) => line.slice(line.indexOf(' :') + 2));
  }

  readonly send = (line: string): void => {
    this.lines.push(line);
    const answer = this.answers.shift() ?? this.answer;
    if (answer === 'silence') return;
    if (answer === 'confirm') this.confirm(line);
    else this.tell('NOTICE', line, { 'msg-id': answer.notice }, ['Twitch says no for 7 seconds']);
  };

  confirm(line: string): void {
    const nonce = /client-nonce=(\w+)/.exec(line)?.[1] ?? '';
    const id = `id-${(this.#ids += 1)}`;
    this.tell('USERSTATE', line, this.echoesNonces ? { id, 'client-nonce': nonce } : { id }, []);
  }

  tell(command: string, line: string, tags: Readonly<Record<string, string>>, rest: readonly string[]): void {
    const channel = /PRIVMSG (#\w+)/.exec(line)?.[1] ?? '';
    this.sender.onLine({ command, tags, source: 'tmi.twitch.tv', params: [channel, ...rest], raw: '' });
  }

  say(text: string, options: Partial<SendOptions> = {}, destination = 'a'): Promise<SendReceipt> {
    const idempotencyKey = `key-${this.#ids}-${this.lines.length}`;
    return this.sender.send(text, destination, { idempotencyKey, mayHaveBeenSent: false, ...options });
  }
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

  it('holds everything back when Twitch says that it was too fast', async () => {
    const chat = new Chat('privileged', 0);
    chat.answer = { notice: 'msg_ratelimit' };
    await expect(chat.say('hi')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    chat.answer = 'confirm';
    await expect(chat.say('hi', {}, 'b')).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs: 7_000,
    });
    expect(chat.lines).toHaveLength(1);
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
      const chat = new Chat('vip');
      for (let i = 0; i < 3; i++) await chat.say('hi');
      await chat.clock.advance(31_000);
      await chat.say('hi');
      expect(chat.texts).toEqual(['hi', `hi ${INVISIBLE}`, 'hi', 'hi']);
      const moderator = new Chat('privileged');
      for (let i = 0; i < 2; i++) await moderator.say('hi');
      expect(moderator.texts).toEqual(['hi', 'hi']);
    });

    it('does not vary what another channel got', async () => {
      const chat = new Chat('vip');
      await chat.say('hi');
      await chat.say('hi', {}, 'b');
      expect(chat.texts).toEqual(['hi', 'hi']);
    });

    it.each(['hi', `hi ${INVISIBLE}`])('retries to the letter, so that Twitch sees it: %j', async (text) => {
      const chat = new Chat('vip');
      if (text !== 'hi') await chat.say('hi');
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

    it('takes msg_duplicate as sent after a restart of the process', async () => {
      const chat = new Chat('vip');
      chat.answer = { notice: 'msg_duplicate' };
      await expect(chat.say('hi', { mayHaveBeenSent: true })).resolves.toMatchObject({ duplicate: true });
      expect(chat.lines).toHaveLength(1);
    });

    it('sends it varied where it is new and somebody else has used the account', async () => {
      const chat = new Chat('vip');
      chat.answers.push({ notice: 'msg_duplicate' });
      await expect(chat.say('hi')).resolves.toEqual({ platformMessageIds: ['id-1'], duplicate: false });
      expect(chat.texts).toEqual(['hi', `hi ${INVISIBLE}`]);
    });

    it('takes another event with the same text for another message, though it may have been sent', async () => {
      const chat = new Chat('vip');
      await chat.say('hi', { idempotencyKey: 'one' });
      await expect(chat.say('hi', { idempotencyKey: 'two', mayHaveBeenSent: true })).resolves.toMatchObject({
        duplicate: false,
      });
      expect(chat.texts).toEqual(['hi', `hi ${INVISIBLE}`]);
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
});
