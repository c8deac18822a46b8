import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { ChatSession } from './chat-session.js';
import { chatPlatforms } from './platforms.js';
import { printable } from './transcript.js';

/** Text that is written, to be waited for. */
class Screen extends PassThrough {
  text = '';
  readonly #looks = new Set<() => void>();

  constructor() {
    super();
    this.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
      for (const look of this.#looks) look();
    });
  }

  /** Resolves when it has been written; the test's time-out tells when it is not. */
  shows(part: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.text.includes(part)) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }
}

interface Chat {
  readonly session: ChatSession;
  readonly input: PassThrough;
  readonly screen: Screen;
  readonly ended: Promise<number>;
}

describe('a chat', () => {
  let sandbox: Sandbox;
  const chats: Chat[] = [];

  beforeEach(async () => {
    sandbox = await startSandbox();
  });

  afterEach(async () => {
    for (const { session } of chats) session.close();
    await Promise.allSettled(chats.splice(0).map(({ ended }) => ended));
    await sandbox.close();
  });

  const open = (platform: string, isTerminal: boolean, waitMs = 20_000): Chat => {
    const found = chatPlatforms(sandbox.url).get(platform);
    if (found === undefined) throw new Error(`no platform ${platform}`);
    const [input, screen] = [new PassThrough(), new Screen()];
    const person = found.defaultPerson;
    const session = new ChatSession(found, { input, output: screen, isTerminal, person, waitMs });
    const chat = { session, input, screen, ended: session.run() };
    chats.push(chat);
    return chat;
  };

  /** Answers each message, as the bot on the bus would. */
  const echo = (platform: 'sms' | 'twitch' | 'discord', text: string): void => {
    const answer = `you wrote: ${text}`;
    if (platform === 'twitch') {
      const channel = sandbox.twitch.channels()[0]?.name ?? '';
      void sandbox.twitch
        .waitForMessage((message) => message.text === text)
        .then(() => sandbox.twitch.receiveMessage({ channel, login: 'echobot', text: answer }));
    } else if (platform === 'discord') {
      void sandbox.discord
        .waitForMessage((message) => message.content === text)
        .then(() => sandbox.discord.receiveMessage({ author: 'echobot', bot: true, content: answer }));
    } else {
      void sandbox.twilio
        .waitForMessage((message) => message.body === text)
        .then(({ conversationSid }) => {
          const { participants } = sandbox.twilio.conversation(conversationSid);
          if (!participants.some(({ identity }) => identity === 'echobot')) {
            sandbox.twilio.addParticipant(conversationSid, { identity: 'echobot' });
          }
          return sandbox.twilio.receiveMessage({ conversationSid, author: 'echobot', body: answer });
        });
    }
  };

  it.each(['sms', 'twitch', 'discord'] as const)(
    'on %s: several people write line by line, and each answer is labelled',
    async (platform) => {
      for (const text of ['hello', 'and me', '/slash']) echo(platform, text);
      const { ended, input, screen } = open(platform, false);
      input.end('hello\n/as anna\n\nand me\n//slash\n');
      expect(await ended).toBe(0);
      const first = { sms: '+15550100', twitch: 'viewer', discord: 'member' }[platform];
      const anna = platform === 'sms' ? /^anna \(\+1555\d{7}\): $/ : /^anna: $/;
      const to = (person: string): string => (platform === 'sms' ? ` → ${person}` : '');
      const lines = screen.text.trimEnd().split('\n');
      expect(lines[0]).toBe(`${first}: hello`);
      expect(lines[1]).toBe(`echobot${to(first)}: you wrote: hello`);
      expect(lines[2]?.replace('and me', '')).toMatch(anna);
      expect(lines[3]).toBe(`echobot${to('anna')}: you wrote: and me`);
      expect(lines[4]).toMatch(/: \/slash$/);
      expect(lines).toHaveLength(6);
    },
  );

  it('counts what nobody answers, where nobody types', async () => {
    const { ended, input, screen } = open('discord', false, 50);
    input.end('hello\nagain\n');
    expect(await ended).toBe(2);
    expect(screen.text.match(/no answer within 0\.05 s/g)).toHaveLength(2);
  });

  it('shows a person who types what was said before, and what others say meanwhile', async () => {
    const channel = sandbox.twitch.channels()[0]?.name ?? '';
    sandbox.twitch.receiveMessage({ channel, login: 'early', text: 'good morning' });
    const { input, screen } = open('twitch', true);
    await screen.shows('early: good morning');
    await screen.shows('viewer> ');
    sandbox.twitch.receiveMessage({ channel, login: 'bob', text: 'hi there' });
    await screen.shows('bob: hi there');
    input.write('/as anna\r');
    await screen.shows('anna> ');
    const written = sandbox.twitch.waitForMessage(({ text }) => text === 'me too');
    input.write('me too\r');
    expect((await written).login).toBe('anna');
    input.write('/history\r');
    await screen.shows('anna: me too');
    input.write('/nonsense\r');
    await screen.shows('there is no /nonsense: /help lists commands');
  });

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
    ['/quit', '/quit\r'],
  ])('ends with %s', async (_name, keys) => {
    const { ended, input, screen } = open('discord', true);
    await screen.shows('member> ');
    input.write(keys);
    expect(await ended).toBe(0);
  });

  it('gives a name the same phone each time, and different names different ones', () => {
    const sms = chatPlatforms('http://127.0.0.1:1').get('sms');
    const phones = ['anna', 'bob', 'carol', 'dave', 'Jürgen', '名前'].map((name) => sms?.authorOf(name));
    expect(new Set(phones).size).toBe(phones.length);
    expect(phones.every((phone) => /^\+1555\d{7}$/.test(phone ?? ''))).toBe(true);
    expect(sms?.authorOf('Anna')).toBe(phones[0]);
    expect(sms?.authorOf('whatsapp:+15550177')).toBe('whatsapp:+15550177');
  });

  it('lets nobody’s text control the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // eslint-disable-next-line no-control-regex -- they are what must not be there
        expect(printable(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      }),
    );
    expect(printable('a\u001b[31mb\nc — é')).toBe('a·[31mb\nc — é');
  });
});
