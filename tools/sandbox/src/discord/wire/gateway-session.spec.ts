import { belongsToShard, GatewaySession } from './gateway-session.js';
import { applicationFlags, checkIntents, intents } from './intents.js';
import { SessionStore, type SessionStoreOptions } from './session-store.js';

const identity = { token: 't', intents: intents.GUILD_MESSAGES, shard: [0, 1] } as const;
const names = (frames: readonly string[] | undefined): readonly string[] | undefined =>
  frames?.map((frame) => (JSON.parse(frame) as { t: string }).t); // frames are made by the session itself

describe('GatewaySession', () => {
  it('numbers events, keeps the last ones, and says when some are gone', () => {
    const session = new GatewaySession({ ...identity, id: 's' }, () => 0, 3);
    for (const type of ['A', 'B', 'C', 'D']) session.dispatch(type, {});
    expect(session.sequence).toBe(4);
    expect([0, 1, 2, 4, 9].map((sequence) => names(session.replay(sequence)))).toEqual([
      undefined,
      ['B', 'C', 'D'],
      ['C', 'D'],
      [],
      [],
    ]);
  });

  it('sends to the socket that it was attached to last', () => {
    let now = 0;
    const session = new GatewaySession({ ...identity, id: 's' }, () => now, 3);
    const sent: string[] = [];
    const sink = (name: string): { send(frame: string): void } => ({ send: () => sent.push(name) });
    const [old, fresh] = [sink('old'), sink('fresh')];
    session.attach(old);
    session.dispatch('A', {});
    session.attach(fresh);
    session.detach(old);
    session.dispatch('B', {});
    session.detach(fresh);
    session.dispatch('C', {});
    now = 50;
    expect(sent).toEqual(['old', 'fresh']);
    expect([session.attached, session.detachedForMs]).toEqual([false, 50]);
  });

  it.each([
    ['its intent', intents.GUILD_MESSAGES, '5', true],
    ['another intent', intents.DIRECT_MESSAGES, undefined, false],
  ])('offers what belongs to %s', (_name, intent, guildId, expected) => {
    const session = new GatewaySession({ ...identity, id: 's' }, () => 0, 3);
    session.offer({ type: 'X', intent, guildId, data: (withContent) => ({ withContent }) });
    expect(session.replay(0)).toEqual(expected ? ['{"t":"X","s":1,"op":0,"d":{"withContent":false}}'] : []);
  });

  it.each<[string | undefined, readonly [number, number], boolean]>([
    [undefined, [0, 2], true],
    [undefined, [1, 2], false],
    [String(1n << 22n), [1, 2], true],
    [String(2n << 22n), [1, 2], false],
  ])('gives the guild %s to shard %j: %p', (guildId, shard, expected) =>
    expect(belongsToShard(guildId, shard)).toBe(expected),
  );
});

describe('SessionStore', () => {
  const options: SessionStoreOptions = {
    sessionTtlMs: 100,
    sessionBufferSize: 10,
    sessionStartLimit: 2,
    identifyIntervalMs: 50,
  };

  it('forgets sessions that have been away for too long', () => {
    let now = 0;
    const store = new SessionStore(options, () => now);
    const [stays, goes] = [store.create(identity), store.create(identity)];
    const sink = { send: () => undefined };
    stays.attach(sink);
    goes.attach(sink);
    goes.detach(sink);
    now = 100;
    expect(store.find(goes.identity.id)).toBe(goes);
    now = 101;
    expect(store.sessions()).toEqual([stays]);
    store.remove(stays);
    expect(store.find(stays.identity.id)).toBeUndefined();
  });

  it('counts IDENTIFYs down, spaces them, and gives new ones after a day', () => {
    let now = 0;
    const store = new SessionStore(options, () => now);
    expect(store.startLimit()).toEqual({
      total: 2,
      remaining: 2,
      reset_after: 86_400_000,
      max_concurrency: 1,
    });
    expect(store.takeStart()).toBe('ok');
    now = 49;
    expect(store.takeStart()).toBe('too-early');
    expect(store.takeStart()).toBe('exhausted');
    now = 86_400_000;
    expect(store.startLimit()).toMatchObject({ remaining: 2, reset_after: 86_400_000 });
    expect(store.takeStart()).toBe('ok');
    store.setRemaining(0);
    expect(store.takeStart()).toBe('exhausted');
  });
});

describe('intents', () => {
  it.each([
    [intents.GUILDS | intents.GUILD_MESSAGES, [], 'ok'],
    [intents.MESSAGE_CONTENT, ['MESSAGE_CONTENT'], 'ok'],
    [intents.MESSAGE_CONTENT, ['GUILD_MEMBERS'], 4014],
    [intents.GUILD_PRESENCES, [], 4014],
    [1 << 17, [], 4013],
    [-1, [], 4013],
    [1.5, [], 4013],
    [2 ** 40, [], 4013],
  ] as const)('judges %p with %j', (wanted, allowed, expected) =>
    expect(checkIntents(wanted, allowed)).toBe(expected),
  );

  it('tells them by the application´s flags', () => {
    expect(applicationFlags([])).toBe(0);
    expect(applicationFlags(['MESSAGE_CONTENT', 'GUILD_MEMBERS'])).toBe((1 << 18) | (1 << 14));
  });
});
