/** A message as it stands on the fake platform. Ids grow. */
export interface FakeMessage {
  readonly id: number;
  readonly channel: string;
  readonly author: string;
  readonly text: string;
  /** What the sender attached, to find the message by. */
  readonly tag?: string;
  readonly createdAt: number;
}

/** What the fake platform answers where it does not do what was asked. */
export class FakePlatformError extends Error {
  override readonly name = 'FakePlatformError';

  constructor(
    readonly status:
      'unauthorized' | 'not-found' | 'forbidden' | 'unavailable' | 'no-answer' | 'disconnected',
  ) {
    super(`the platform says: ${status}`);
  }
}

/** One connection of a client. */
export interface FakeSession {
  /** Called for each new message, whoever wrote it. */
  onMessage: (message: FakeMessage) => void;
  /** Called once when the connection is lost, not when it is closed. */
  onLost: () => void;
  close(): void;
  channels(): Promise<string[]>;
  history(channel: string, afterId: number): Promise<FakeMessage[]>;
  findByTag(channel: string, tag: string): Promise<FakeMessage | undefined>;
  send(channel: string, text: string, tag: string): Promise<FakeMessage>;
}

const ioTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A chat platform in memory: channels with a history, connections that can be lost, credentials that can be refused. */
export class FakePlatform {
  static readonly BOT = 'bot';
  readonly #messages = new Map<string, FakeMessage[]>();
  readonly #sessions = new Set<FakeSession>();
  readonly #closed = new Set<string>();
  #lastId = 0;
  #refused = false;
  #sendsUntilRefusal = 0;
  #nextSendFails: 'retryable' | 'answer-lost' | undefined;

  constructor(private readonly token: string) {}

  /** Connections that are open. None may be left after a `stop`. */
  get openSessions(): number {
    return this.#sessions.size;
  }

  createChannel(channel: string): void {
    if (!this.#messages.has(channel)) this.#messages.set(channel, []);
  }

  write(channel: string, author: string, text: string, tag?: string): FakeMessage {
    this.createChannel(channel);
    const id = (this.#lastId += 1);
    const message = {
      id,
      channel,
      author,
      text,
      createdAt: Date.now(),
      ...(tag === undefined ? {} : { tag }),
    };
    this.#messages.get(channel)?.push(message);
    for (const session of this.#sessions)
      setImmediate(() => this.#sessions.has(session) && session.onMessage(message));
    return message;
  }

  messagesOf(channel: string): readonly FakeMessage[] {
    return this.#messages.get(channel) ?? [];
  }

  refuseCredentials(): void {
    this.#refused = true;
  }

  /** The bot may not read the channel any more. */
  closeChannel(channel: string): void {
    this.createChannel(channel);
    this.#closed.add(channel);
  }

  openChannel(channel: string): void {
    this.#closed.delete(channel);
  }

  failNextSend(kind: 'retryable' | 'answer-lost'): void {
    this.#nextSendFails = kind;
  }

  /** The `nth` send from now on is refused, and would be taken later. */
  refuseSend(nth: number): void {
    this.#sendsUntilRefusal = nth;
  }

  dropConnections(): void {
    for (const session of [...this.#sessions]) {
      this.#sessions.delete(session);
      session.onLost();
    }
  }

  async connect(token: string): Promise<FakeSession> {
    await ioTurn();
    if (this.#refused || token !== this.token) throw new FakePlatformError('unauthorized');
    const session: FakeSession = {
      onMessage: () => undefined,
      onLost: () => undefined,
      close: () => this.#sessions.delete(session),
      channels: () => this.#answer(session, () => [...this.#messages.keys()]),
      history: (channel, afterId) =>
        this.#answer(session, () => {
          if (this.#closed.has(channel)) throw new FakePlatformError('forbidden');
          return this.messagesOf(channel).filter(({ id }) => id > afterId);
        }),
      findByTag: (channel, tag) =>
        this.#answer(session, () => this.messagesOf(channel).find((message) => message.tag === tag)),
      send: (channel, text, tag) => this.#send(session, channel, text, tag),
    };
    this.#sessions.add(session);
    return session;
  }

  async #answer<T>(session: FakeSession, read: () => T): Promise<T> {
    await ioTurn();
    if (!this.#sessions.has(session)) throw new FakePlatformError('disconnected');
    return read();
  }

  async #send(session: FakeSession, channel: string, text: string, tag: string): Promise<FakeMessage> {
    await ioTurn();
    if (!this.#sessions.has(session)) throw new FakePlatformError('disconnected');
    const fault = this.#nextSendFails;
    this.#nextSendFails = undefined;
    this.#sendsUntilRefusal -= 1;
    if (this.#sendsUntilRefusal === 0) throw new FakePlatformError('unavailable');
    if (fault === 'retryable') throw new FakePlatformError('unavailable');
    if (!this.#messages.has(channel)) throw new FakePlatformError('not-found');
    const message = this.write(channel, FakePlatform.BOT, text, tag);
    if (fault === 'answer-lost') throw new FakePlatformError('no-answer');
    return message;
  }
}
