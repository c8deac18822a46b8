import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { joinRaw, logInRaw, openRaw, type RawClient } from './testing/raw-client.js';
import { twitchDefaults } from './twitch-options.js';

const PASS = `PASS oauth:${twitchDefaults.accessToken}`;

describe('IRC protocol', () => {
  let sandbox: Sandbox;
  const clients: RawClient[] = [];
  const open = async (opening: Promise<RawClient>): Promise<RawClient> => {
    const client = await opening;
    clients.push(client);
    return client;
  };

  beforeEach(async () => {
    sandbox = await startSandbox({
      twitch: { messageLimits: { ...twitchDefaults.messageLimits, spacingMs: 0 } },
    });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await sandbox.close();
  });

  it('negotiates capabilities, all of a request or none', async () => {
    const client = await open(openRaw(sandbox));
    client.send('CAP LS 302', 'CAP REQ :twitch.tv/tags twitch.tv/unknown', 'CAP LIST');
    await client.next(
      /^:tmi\.twitch\.tv CAP \* LS :twitch\.tv\/commands twitch\.tv\/membership twitch\.tv\/tags$/,
    );
    await client.next(/^:tmi\.twitch\.tv CAP \* NAK :twitch\.tv\/tags twitch\.tv\/unknown$/);
    await client.next(/^:tmi\.twitch\.tv CAP \* LIST :$/);
    client.send('CAP REQ :twitch.tv/tags twitch.tv/commands', 'CAP LIST', 'CAP END');
    await client.next(/CAP \* ACK :twitch\.tv\/tags twitch\.tv\/commands$/);
    await client.next(/CAP \* LIST :twitch\.tv\/tags twitch\.tv\/commands$/);
  });

  it('welcomes, and greets in a channel with USERSTATE before ROOMSTATE', async () => {
    const client = await open(logInRaw(sandbox));
    expect(client.lines.map((line) => line.replace(/^@\S+ /, '').split(' ')[1])).toEqual([
      'CAP',
      '001',
      '002',
      '003',
      '004',
      '375',
      '372',
      '376',
      'GLOBALUSERSTATE',
    ]);
    expect(client.lines.at(-1)).toMatch(
      /^@badge-info=;.*;user-id=777000777;user-type= :tmi\.twitch\.tv GLOB/,
    );
    client.send('JOIN #Bitbrat');
    const greeting = await client.settle();
    expect(greeting.map((line) => line.replace(/^@\S+ /, '').split(' ')[1])).toEqual([
      'JOIN',
      '353',
      '366',
      'USERSTATE',
      'ROOMSTATE',
    ]);
    const { roomId } = sandbox.twitch.channel('bitbrat');
    expect(greeting.at(-1)).toBe(
      `@emote-only=0;followers-only=-1;r9k=0;room-id=${roomId};slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #bitbrat`,
    );
    expect(sandbox.twitch.channel('bitbrat').members).toEqual(['bitbrat_bot']);
    client.send('PART #bitbrat');
    await client.next(/^:bitbrat_bot!bitbrat_bot@bitbrat_bot\.tmi\.twitch\.tv PART #bitbrat$/);
    expect(sandbox.twitch.channel('bitbrat').members).toEqual([]);
  });

  it.each([
    ['no PASS', ['NICK bitbrat_bot'], 'Improperly formatted auth'],
    ['a PASS without oauth:', ['PASS secret', 'NICK bitbrat_bot'], 'Improperly formatted auth'],
    ['an unknown token', ['PASS oauth:wrong', 'NICK bitbrat_bot'], 'Login authentication failed'],
    ['the token of somebody else', [PASS, 'NICK alice'], 'Login authentication failed'],
  ])('refuses %s', async (_case, lines, text) => {
    const client = await open(openRaw(sandbox));
    client.send(...lines);
    await expect(client.next(/NOTICE/)).resolves.toBe(`:tmi.twitch.tv NOTICE * :${text}`);
    await expect(client.closed()).resolves.toBe(1000);
  });

  it('lets anonymous readers in, who cannot write', async () => {
    const reader = await open(openRaw(sandbox));
    reader.send('NICK justinfan123', 'JOIN #bitbrat', 'PRIVMSG #bitbrat :hello');
    expect(
      (await reader.settle()).some((line) => line.endsWith('353 justinfan123 = #bitbrat :justinfan123')),
    ).toBe(true);
    sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'alice', text: 'hi' });
    await reader.next(/^:alice!alice@alice\.tmi\.twitch\.tv PRIVMSG #bitbrat :hi$/);
    expect(sandbox.twitch.messages('bitbrat')).toHaveLength(1);
  });

  it('answers a bare PING bare, and one with an argument with it', async () => {
    const client = await open(openRaw(sandbox));
    client.send('PING', 'PING :123 456');
    await client.next(/^PONG$/);
    await client.next(/^:tmi\.twitch\.tv PONG tmi\.twitch\.tv :123 456$/);
  });

  it('acknowledges with USERSTATE, id and nonce, and shows the message to others alone', async () => {
    const bot = await open(joinRaw(sandbox, 'bitbrat'));
    const other = await open(joinRaw(sandbox, 'bitbrat', 'watcher'));
    bot.send('@client-nonce=n\\s1 PRIVMSG #bitbrat :hello  there ');
    const [ack, ...rest] = await bot.settle();
    const [message] = sandbox.twitch.messages('bitbrat');
    expect(ack).toMatch(/^:watcher!.* JOIN #bitbrat$/);
    expect(rest).toHaveLength(1);
    expect(rest[0]).toMatch(
      new RegExp(`client-nonce=n\\\\s1;.*;id=${message?.id ?? ''};.* USERSTATE #bitbrat$`),
    );
    expect(message).toMatchObject({
      text: 'hello  there',
      login: 'bitbrat_bot',
      userId: '777000777',
      via: 'irc',
    });
    await other.next(/user-id=777000777;user-type= :bitbrat_bot!\S+ PRIVMSG #bitbrat :hello {2}there$/);
  });

  it('carries replies with the parent and the root of the thread', async () => {
    const bot = await open(joinRaw(sandbox, 'bitbrat'));
    const other = await open(joinRaw(sandbox, 'bitbrat', 'watcher'));
    const root = sandbox.twitch.receiveMessage({
      channel: 'bitbrat',
      login: 'alice',
      userId: '1',
      displayName: 'Alice',
      text: 'what; now?',
    });
    bot.send(`@reply-parent-msg-id=${root.id} PRIVMSG #bitbrat :this`);
    const line = await other.next(/PRIVMSG #bitbrat :this$/);
    expect(line).toContain('reply-parent-display-name=Alice;reply-parent-msg-body=what\\:\\snow?;');
    expect(line).toContain(
      `reply-parent-msg-id=${root.id};reply-parent-user-id=1;reply-parent-user-login=alice;`,
    );
    const [answer] = sandbox.twitch.messages('bitbrat', root.id);
    expect(answer?.replyTo).toBe(root.id);
    sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'alice', text: 'aha', replyTo: answer?.id });
    await bot.next(
      new RegExp(`reply-parent-msg-id=${answer?.id ?? ''};.*thread-parent-msg-id=${root.id};.* :aha$`),
    );
  });

  it.each([
    ['\u0001ACTION waves\u0001', 'waves', []],
    ['/me waves', 'waves', ['me']],
    ['.me  waves', 'waves', ['me']],
  ])('takes %j as an action', async (text, expected, commands) => {
    const bot = await open(joinRaw(sandbox, 'bitbrat'));
    const other = await open(joinRaw(sandbox, 'bitbrat', 'watcher'));
    bot.send(`PRIVMSG #bitbrat :${text}`);
    const line = await other.next(/ PRIVMSG #bitbrat :/);
    expect(line.endsWith(' :\u0001ACTION waves\u0001')).toBe(true);
    expect(sandbox.twitch.messages('bitbrat')).toMatchObject([{ text: expected, action: true }]);
    expect(sandbox.twitch.commands().map(({ name }) => name)).toEqual(commands);
  });

  it('cuts a long text at 500 characters, and says so to whoever looks', async () => {
    const bot = await open(joinRaw(sandbox, 'bitbrat'));
    bot.send(`PRIVMSG #bitbrat :${'🚀'.repeat(500)}`, `PRIVMSG #bitbrat :${'a'.repeat(501)}`);
    await bot.settle();
    expect(sandbox.twitch.messages('bitbrat').map(({ text, cut }) => [Array.from(text).length, cut])).toEqual(
      [
        [500, false],
        [500, true],
      ],
    );
  });

  it.each(['', '   '])('ignores the empty text %j', async (text) => {
    const bot = await open(joinRaw(sandbox, 'bitbrat'));
    bot.send(`PRIVMSG #bitbrat :${text}`);
    await expect(bot.settle()).resolves.toEqual([]);
    expect(sandbox.twitch.messages('bitbrat')).toEqual([]);
  });

  it('executes what an injected line break smuggles in, and records it', async () => {
    const bot = await open(joinRaw(sandbox, 'bitbrat'));
    bot.send('PRIVMSG #bitbrat :hello\r\nPRIVMSG #victim :injected\nJOIN #other');
    await bot.settle();
    expect(sandbox.twitch.messages('bitbrat')).toMatchObject([{ text: 'hello' }]);
    expect(sandbox.twitch.messages('victim')).toMatchObject([{ text: 'injected' }]);
    expect(sandbox.twitch.commands('#Victim')).toMatchObject([
      { via: 'line', name: 'PRIVMSG', text: 'PRIVMSG #victim :injected', login: 'bitbrat_bot' },
    ]);
    expect(sandbox.twitch.commands()).toHaveLength(2);
    expect(sandbox.twitch.channel('other').members).toEqual(['bitbrat_bot']);
  });

  it('executes chat commands instead of showing them', async () => {
    const bot = await open(joinRaw(sandbox, 'bitbrat'));
    bot.send('PRIVMSG #bitbrat :/ban alice');
    await bot.next(/msg-id=no_permission .* NOTICE #bitbrat :/);
    sandbox.twitch.configureChannel('bitbrat', { moderators: ['bitbrat_bot'] });
    const { id } = sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'bob', text: 'spam' });
    bot.send(
      'PRIVMSG #bitbrat :/ban alice',
      'PRIVMSG #bitbrat :.timeout carol 10',
      `PRIVMSG #bitbrat :/delete ${id}`,
      'PRIVMSG #bitbrat :/w alice psst',
      'PRIVMSG #bitbrat :/nonsense',
    );
    await bot.next(/target-user-id=\d+;tmi-sent-ts=\d+ :tmi\.twitch\.tv CLEARCHAT #bitbrat :alice$/);
    await bot.next(/msg-id=ban_success/);
    await bot.next(/^@ban-duration=10;.* CLEARCHAT #bitbrat :carol$/);
    await bot.next(new RegExp(`^@login=bob;.*target-msg-id=${id};.* CLEARMSG #bitbrat :spam$`));
    await bot.next(/msg-id=unrecognized_cmd .*:Unrecognized command: \/nonsense$/);
    expect(sandbox.twitch.messages('bitbrat')).toMatchObject([{ text: 'spam', deleted: true }]);
    expect(sandbox.twitch.channel('bitbrat').banned).toEqual(['alice', 'carol']);
    expect(sandbox.twitch.commands('bitbrat').map(({ name, result }) => [name, result])).toEqual([
      ['ban', 'refused'],
      ['ban', 'executed'],
      ['timeout', 'executed'],
      ['delete', 'executed'],
      ['w', 'refused'],
      ['nonsense', 'unknown'],
    ]);
    expect(() => sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'alice', text: 'x' })).toThrow(
      'banned',
    );
  });

  it('answers an unknown IRC command, and forgets who has gone', async () => {
    const bot = await open(joinRaw(sandbox, 'bitbrat'));
    bot.send('WHOIS alice');
    await bot.next(/ 421 bitbrat_bot WHOIS :Unknown command$/);
    bot.send('QUIT');
    await bot.closed();
    await sandbox.twitch.waitFor(
      () => sandbox.twitch.channel('bitbrat').members.length === 0 || undefined,
      'an empty channel',
    );
    expect(sandbox.twitch.stats().connections).toEqual([]);
  });

  it('pings, and cuts off who does not answer', async () => {
    await sandbox.close();
    sandbox = await startSandbox({ twitch: { pingIntervalMs: 500 } });
    const client = await open(openRaw(sandbox));
    await client.next(/^PING :tmi\.twitch\.tv$/);
    client.send('PONG :tmi.twitch.tv');
    await client.next(/^PING :tmi\.twitch\.tv$/);
    await expect(client.closed()).resolves.toBe(1006);
  });
});
