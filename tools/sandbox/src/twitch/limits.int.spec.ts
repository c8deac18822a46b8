import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { joinRaw, logInRaw, openRaw, type RawClient } from './testing/raw-client.js';
import { twitchDefaults } from './twitch-options.js';

describe('Twitch limits', () => {
  let now: number;
  let sandbox: Sandbox;
  let bot: RawClient;

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    sandbox = await startSandbox({ twitch: { now: () => now } });
    bot = await joinRaw(sandbox, 'bitbrat');
  });
  afterEach(async () => {
    bot.close();
    await sandbox.close();
  });

  const say = (text: string, channel = 'bitbrat'): void => bot.send(`PRIVMSG #${channel} :${text}`);
  const flood = (count: number): void => {
    for (let index = 0; index < count; index += 1) say(`message ${index}`, `room${index}`);
  };
  /** Messages of the bot. */
  const taken = (): number =>
    sandbox.twitch.channels().reduce((sum, { name }) => sum + sandbox.twitch.messages(name).length, 0);
  const standing = (): number => sandbox.twitch.messages('bitbrat').length;

  it('takes 20 messages in 30 s, and then hears nothing for an hour, without a word', async () => {
    flood(20);
    await bot.settle();
    say('too much', 'elsewhere');
    say('ignored');
    say('/ban alice');
    expect((await bot.settle()).filter((line) => line.includes('msg-id='))).toEqual([]);
    expect(taken()).toBe(20);
    expect(sandbox.twitch.isMuted('bitbrat_bot')).toBe(true);
    expect(sandbox.twitch.commands()).toMatchObject([{ name: 'ban', result: 'ignored' }]);
    now += 60 * 60_000 - 1;
    say('still ignored');
    await expect(bot.settle()).resolves.toEqual([]);
    now += 30_000;
    say('heard');
    await bot.next(/ USERSTATE /);
    expect(taken()).toBe(21);
  });

  it('hears an account that it ignores where that is trusted', async () => {
    flood(21);
    await bot.settle();
    sandbox.twitch.configureChannel('bitbrat', { vips: ['bitbrat_bot'] });
    say('heard');
    await bot.next(/ badges=vip\/1;.* USERSTATE #bitbrat|badges=vip\/1.* USERSTATE #bitbrat/);
  });

  it('takes one message a second to a channel, and refuses what is sooner', async () => {
    say('one');
    say('two');
    await bot.next(/^@msg-id=msg_ratelimit :tmi\.twitch\.tv NOTICE #bitbrat :/);
    say('elsewhere', 'elsewhere');
    await bot.next(/ USERSTATE #elsewhere$/);
    now += 1_000;
    say('two');
    await bot.next(/ USERSTATE #bitbrat$/);
    expect(standing()).toBe(2);
  });

  it.each([
    ['a moderator', 'bitbrat_bot', { moderators: ['bitbrat_bot'] }],
    ['a VIP', 'bitbrat_bot', { vips: ['bitbrat_bot'] }],
    ['the broadcaster', 'bitbrat', {}],
  ])('takes 100 from %s', async (_who, login, patch) => {
    sandbox.twitch.configureChannel('bitbrat', patch);
    bot.close();
    bot = await joinRaw(sandbox, 'bitbrat', login);
    for (let index = 0; index < 101; index += 1) say(`message ${index}`);
    await bot.next(/msg-id=msg_ratelimit/);
    expect(standing()).toBe(100);
  });

  it('refuses the same text within 30 s, in one channel, from an ordinary user', async () => {
    say('same');
    await bot.next(/ USERSTATE /);
    now += 29_999;
    say('same');
    await bot.next(
      /^@msg-id=msg_duplicate .* NOTICE #bitbrat :Your message was not sent because it is identical/,
    );
    say('same', 'elsewhere');
    await bot.next(/ USERSTATE #elsewhere$/);
    now += 1_001;
    say('same');
    await bot.next(/ USERSTATE #bitbrat$/);
    for (const text of ['other', 'same']) {
      now += 1_000;
      say(text);
      await bot.next(/ USERSTATE #bitbrat$/);
    }
    expect(standing()).toBe(4);
    sandbox.twitch.configureChannel('bitbrat', { moderators: ['bitbrat_bot'] });
    say('same');
    await bot.next(/ USERSTATE #bitbrat$/);
  });

  it.each(['same \u{e0000}', '\u200bsame', ' same ', 'sa\u{e0001}me'])(
    'drops invisible characters before it compares: %j',
    async (text) => {
      say('same');
      await bot.next(/ USERSTATE /);
      now += 1_000;
      say(text);
      await bot.next(/^@msg-id=msg_duplicate /);
    },
  );

  it('drops them before it looks for a command, and refuses what is nothing else', async () => {
    say('\u{e0000}/ban alice');
    say(' \u{e0000} ');
    await bot.next(/^@msg-id=msg_ratelimit /);
    now += 1_000;
    say('\u{e0000}');
    await bot.next(/^@msg-id=msg_rejected /);
    expect(sandbox.twitch.commands()).toMatchObject([{ name: 'ban' }]);
    expect(standing()).toBe(0);
  });

  it('can leave a JOIN without an answer, or refuse it', async () => {
    sandbox.twitch.injectFault({ kind: 'swallow-join', channel: 'odd', count: 1 });
    sandbox.twitch.injectFault({ kind: 'refuse-join', channel: 'shut', count: 1 });
    bot.send('JOIN #odd', 'JOIN #shut');
    await bot.next(/^@msg-id=msg_channel_suspended .* NOTICE #shut :/);
    expect(sandbox.twitch.channel('odd').members).toEqual([]);
    bot.send('JOIN #odd', 'JOIN #shut');
    await bot.next(/ ROOMSTATE #shut$/);
    expect(sandbox.twitch.channel('odd').members).toEqual(['bitbrat_bot']);
  });

  it('ignores JOINs over 20 in 10 s', async () => {
    bot.close();
    now += 10_000;
    bot = await logInRaw(sandbox);
    bot.send(`JOIN ${Array.from({ length: 22 }, (_, index) => `#room${index}`).join(',')}`);
    const count = (lines: readonly string[]): number =>
      lines.filter((line) => line.includes(' ROOMSTATE ')).length;
    expect(count(await bot.settle())).toBe(20);
    now += 10_000;
    bot.send('JOIN #room21');
    await bot.next(/ ROOMSTATE #room21$/);
  });

  it('refuses logins over 20 in 10 s', async () => {
    const attempt = async (): Promise<string> => {
      const client = await openRaw(sandbox);
      client.send(`PASS oauth:${twitchDefaults.accessToken}`, `NICK ${twitchDefaults.botLogin}`);
      const line = await client.next(/ (376|NOTICE) /);
      client.close();
      return line;
    };
    for (let count = 1; count < 20; count += 1) expect(await attempt()).toContain(' 376 ');
    expect(await attempt()).toBe(':tmi.twitch.tv NOTICE * :Login unsuccessful');
    now += 10_000;
    expect(await attempt()).toContain(' 376 ');
  });

  it.each([
    [{ suspended: true }, 'msg_channel_suspended'],
    [{ banned: ['bitbrat_bot'] }, 'msg_banned'],
    [{ emoteOnly: true }, 'msg_emoteonly'],
    [{ subscribersOnly: true }, 'msg_subsonly'],
    [{ followersOnly: true }, 'msg_followersonly'],
  ])('enforces %j', async (patch, msgId) => {
    sandbox.twitch.configureChannel('bitbrat', patch);
    say('hello');
    await bot.next(new RegExp(`^@msg-id=${msgId} :tmi\\.twitch\\.tv NOTICE #bitbrat :`));
    expect(standing()).toBe(0);
  });

  it.each([
    [{ suspended: true }, 'msg_channel_suspended'],
    [{ banned: ['bitbrat_bot'] }, 'msg_banned'],
  ])('refuses to let in: %j', async (patch, msgId) => {
    sandbox.twitch.configureChannel('closed', patch);
    bot.send('JOIN #closed');
    await bot.next(new RegExp(`^@msg-id=${msgId} :tmi\\.twitch\\.tv NOTICE #closed :`));
    expect(sandbox.twitch.channel('closed').members).toEqual([]);
  });

  it('enforces slow mode and time-outs, and lets both end', async () => {
    sandbox.twitch.configureChannel('bitbrat', { slowSeconds: 5 });
    await bot.next(/slow=5.* ROOMSTATE/);
    say('one');
    await bot.next(/ USERSTATE /);
    now += 1_000;
    say('two');
    await bot.next(/^@msg-id=msg_slowmode .*again in 4 seconds\.$/);
    now += 5_000;
    say('two');
    await bot.next(/ USERSTATE /);
    now += 5_000;
    sandbox.twitch.sendEvent({
      kind: 'clearchat',
      channel: 'bitbrat',
      login: 'bitbrat_bot',
      durationSeconds: 60,
    });
    say('three');
    await bot.next(/^@msg-id=msg_timedout .*for 60 more seconds\.$/);
    now += 60_000;
    say('three');
    await bot.next(/ USERSTATE /);
  });

  it('keeps a bounded history', async () => {
    await sandbox.close();
    sandbox = await startSandbox({ twitch: { historyLimit: 10 } });
    for (let index = 1; index <= 100; index += 1) {
      sandbox.twitch.receiveMessage({
        channel: 'bitbrat',
        login: 'alice',
        text: `${index}`,
        id: `id-${index}`,
      });
    }
    expect(standing()).toBeLessThanOrEqual(15);
    expect(sandbox.twitch.messages('bitbrat', 98).map(({ text }) => text)).toEqual(['99', '100']);
    expect(sandbox.twitch.messages('bitbrat', 'id-99').map(({ text }) => text)).toEqual(['100']);
    expect(() => sandbox.twitch.messages('bitbrat', 'id-1')).toThrow('there is no message id-1');
  });
});
