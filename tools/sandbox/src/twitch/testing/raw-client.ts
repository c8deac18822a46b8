import { once } from 'node:events';
import WebSocket from 'ws';
import { type Sandbox } from '../../sandbox-server.js';
import { WaitList } from '../../wait-list.js';
import { twitchDefaults } from '../twitch-options.js';

/** A WebSocket with IRC lines, to see what the server says word by word. */
export class RawClient {
  readonly lines: string[] = [];
  readonly #waits = new WaitList();
  #closed: number | undefined;
  #read = 0;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.lines.push(...data.toString('utf8').split('\r\n').slice(0, -1));
      this.#waits.notify();
    });
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      this.#closed = code;
      this.#waits.notify();
    });
  }

  send(...lines: readonly string[]): void {
    for (const line of lines) this.socket.send(line);
  }

  /** The next line that matches, among those not waited for before. */
  async next(pattern: RegExp): Promise<string> {
    const found = await this.#waits.waitFor(() => {
      const at = this.lines.findIndex((line, index) => index >= this.#read && pattern.test(line));
      if (at === -1) return undefined;
      this.#read = at + 1;
      return this.lines[at];
    }, 5_000);
    if (found !== undefined) return found;
    throw new Error(
      `No line matched ${pattern.source}; the last ones are ${this.lines.slice(-5).join(' | ')}`,
    );
  }

  /** Everything that the server says before it answers a PING, and the answer. */
  async settle(): Promise<readonly string[]> {
    const from = this.#read;
    const mark = `settle-${this.lines.length}`;
    this.send(`PING :${mark}`);
    await this.next(new RegExp(`PONG .*:${mark}$`));
    return this.lines.slice(from, this.#read - 1);
  }

  /** The close code. */
  async closed(): Promise<number> {
    const code = await this.#waits.waitFor(() => this.#closed, 5_000);
    if (code === undefined) throw new Error('The connection did not close.');
    return code;
  }

  close(): void {
    this.socket.terminate();
  }
}

/** Opens a connection without a word. */
export async function openRaw(sandbox: Sandbox, path = '/'): Promise<RawClient> {
  const socket = new WebSocket(`${sandbox.url.replace(/^http/, 'ws')}${path}`, 'irc');
  const client = new RawClient(socket);
  await once(socket, 'open');
  return client;
}

/** Opens a connection and logs in with all capabilities: as the bot, or as another login with a fresh token. */
export async function logInRaw(
  sandbox: Sandbox,
  login: string = twitchDefaults.botLogin,
): Promise<RawClient> {
  const client = await openRaw(sandbox);
  const token =
    login === twitchDefaults.botLogin
      ? twitchDefaults.accessToken
      : sandbox.twitch.issueToken({ login }).accessToken;
  client.send('CAP REQ :twitch.tv/tags twitch.tv/commands twitch.tv/membership', `PASS oauth:${token}`);
  client.send(`NICK ${login}`);
  await client.next(/ GLOBALUSERSTATE$/);
  return client;
}

/** As `logInRaw`, and joins a channel. */
export async function joinRaw(sandbox: Sandbox, channel: string, login?: string): Promise<RawClient> {
  const client = await logInRaw(sandbox, login);
  client.send(`JOIN #${channel}`);
  await client.next(/ ROOMSTATE #/);
  return client;
}
