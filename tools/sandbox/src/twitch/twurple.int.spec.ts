import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { WaitList } from '../wait-list.js';
import { twitchDefaults } from './twitch-options.js';

const reportSchema = z.object({ event: z.string(), args: z.array(z.unknown()) });

/** @twurple/chat in its thread. */
class TwurpleClient {
  readonly #worker: Worker;
  readonly #reports: z.output<typeof reportSchema>[] = [];
  readonly #waits = new WaitList();

  constructor(origin: string, tokens: { readonly accessToken: string; readonly refreshToken?: string }) {
    const { clientId, clientSecret } = twitchDefaults;
    this.#worker = new Worker(join(__dirname, 'twurple-client.mjs'), {
      workerData: { origin, clientId, clientSecret, ...tokens },
    });
    this.#worker.on('message', (report: unknown) => {
      this.#reports.push(reportSchema.parse(report));
      this.#waits.notify();
    });
  }

  /** The arguments of the next event of this name. */
  async next(event: string): Promise<readonly unknown[]> {
    const report = await this.#waits.waitFor(() => {
      const at = this.#reports.findIndex((candidate) => candidate.event === event);
      return at === -1 ? undefined : this.#reports.splice(at, 1)[0];
    }, 15_000);
    if (report === undefined) throw new Error(`No ${event}, but ${JSON.stringify(this.#reports)}`);
    return report.args;
  }

  call(method: 'say' | 'action' | 'quit', ...args: readonly unknown[]): void {
    this.#worker.postMessage({ method, args });
  }

  async quit(): Promise<void> {
    const ended = once(this.#worker, 'exit');
    this.call('quit');
    await ended;
  }
}

describe('@twurple/chat, unmodified', () => {
  let sandbox: Sandbox;
  let client: TwurpleClient;
  const { accessToken, refreshToken } = twitchDefaults;

  const connect = async (tokens: {
    readonly accessToken: string;
    readonly refreshToken?: string;
  }): Promise<void> => {
    client = new TwurpleClient(sandbox.url, tokens);
    await client.next('join');
    await sandbox.twitch.waitForMember('bitbrat', twitchDefaults.botLogin);
  };

  beforeEach(async () => {
    sandbox = await startSandbox();
  });
  afterEach(async () => {
    await client.quit();
    await sandbox.close();
  });

  it('receives what there is', async () => {
    await connect({ accessToken });
    const { id } = sandbox.twitch.receiveMessage({
      channel: 'bitbrat',
      login: 'alice',
      userId: '0',
      text: 'hi 🚀',
    });
    expect(await client.next('message')).toEqual(['bitbrat', 'alice', 'hi 🚀', id, '0', null]);
    const answer = sandbox.twitch.receiveMessage({
      channel: 'bitbrat',
      login: 'bob',
      userId: '1',
      text: 'yo',
      replyTo: id,
    });
    expect(await client.next('message')).toEqual(['bitbrat', 'bob', 'yo', answer.id, '1', id]);
    sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'alice', action: true, text: 'waves' });
    expect(await client.next('action')).toEqual(['bitbrat', 'alice', 'waves']);
    sandbox.twitch.receiveMessage({ whisper: 'bitbrat_bot', login: 'alice', text: 'psst' });
    expect(await client.next('whisper')).toEqual(['alice', 'psst']);
    const event = { kind: 'usernotice', channel: 'bitbrat', login: 'carol' } as const;
    sandbox.twitch.sendEvent({ ...event, msgId: 'sub', tags: { 'msg-param-sub-plan': 'Prime' } });
    expect(await client.next('sub')).toEqual(['bitbrat', 'carol', 'Prime']);
    sandbox.twitch.sendEvent({ ...event, msgId: 'raid', tags: { 'msg-param-viewerCount': '7' } });
    expect(await client.next('raid')).toEqual(['bitbrat', 'carol', 7]);
    sandbox.twitch.sendEvent({ kind: 'clearmsg', channel: 'bitbrat', messageId: id });
    expect(await client.next('remove')).toEqual(['bitbrat', id]);
    sandbox.twitch.sendEvent({ kind: 'clearchat', channel: 'bitbrat', login: 'alice', durationSeconds: 9 });
    expect(await client.next('timeout')).toEqual(['bitbrat', 'alice', 9]);
    sandbox.twitch.sendEvent({ kind: 'clearchat', channel: 'bitbrat', login: 'alice' });
    expect(await client.next('ban')).toEqual(['bitbrat', 'alice']);
  });

  it('sends messages, replies and actions, and learns of refusals', async () => {
    await connect({ accessToken });
    sandbox.twitch.configureChannel('bitbrat', { moderators: [] });
    const { id } = sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'alice', text: 'question' });
    client.call('say', 'bitbrat', 'answer', { replyTo: id });
    await expect(sandbox.twitch.waitForMessage(({ via }) => via === 'irc')).resolves.toMatchObject({
      text: 'answer',
      replyTo: id,
    });
    client.call('action', 'bitbrat', 'waves');
    await sandbox.twitch.waitForMessage(({ action }) => action);
    client.call('action', 'bitbrat', 'waves');
    expect(await client.next('failed')).toEqual(['bitbrat', 'msg_duplicate']);
    sandbox.twitch.injectFault({ kind: 'refuse-message', msgId: 'msg_ratelimit', count: 1 });
    client.call('say', 'bitbrat', 'fast');
    expect(await client.next('ratelimit')).toEqual(['bitbrat']);
    expect(sandbox.twitch.commands()).toEqual([]);
  });

  it('comes back after its socket was dropped', async () => {
    await connect({ accessToken });
    sandbox.twitch.injectFault({ kind: 'drop' });
    await client.next('disconnect');
    await client.next('join');
    await sandbox.twitch.waitForMember('bitbrat', twitchDefaults.botLogin);
    expect(sandbox.twitch.stats().upgrades).toBeGreaterThan(1);
  });

  it('refreshes its token at the token endpoint, unmodified @twurple/auth', async () => {
    await connect({ accessToken: 'expired', refreshToken });
    const [userId, newToken] = await client.next('refresh');
    expect(userId ?? '777000777').toBe('777000777');
    expect(newToken).toMatch(/^[a-z0-9]{30}$/);
    expect(newToken).not.toBe(refreshToken);
    expect(await client.next('user')).toEqual(['777000777']);
  });

  it('learns that its token has ended', async () => {
    sandbox.twitch.injectFault({ kind: 'expire-tokens' });
    client = new TwurpleClient(sandbox.url, { accessToken });
    const [message] = await client.next('tokenFailure');
    expect(message).toMatch(/invalid token/i);
  });
});
