import { type Conversation } from '@twilio/conversations';
import { ConnectorError, parseEnvironment } from '@bitbrat/connectors-core';
import { ManualClock, RecordingHost } from '@bitbrat/connectors-testing';
import { twilioConfigSchema } from './config.js';
import { ConversationReader } from './conversation-reader.js';

const SID = 'CH1';
const HEX = '0123456789abcdef0123456789abcdef';
const ENVIRONMENT = {
  TWILIO_ENABLED: 'true',
  TWILIO_ACCOUNT_SID: `AC${HEX}`,
  TWILIO_AUTH_TOKEN: 'example-auth-token',
  TWILIO_API_KEY: `SK${HEX}`,
  TWILIO_API_SECRET: 'example-api-secret',
  TWILIO_CHAT_SERVICE_SID: `IS${HEX}`,
  TWILIO_IDENTITY: 'bot',
};

/** A client of the SDK that knows one conversation at most; its questions wait for the test's answer. */
class ScriptedSession {
  readonly forgotten: string[] = [];
  readonly #refusals: (() => void)[] = [];
  #joined: Conversation | undefined;
  /** Questions so far: for the conversation while the bot is not in it, for its messages while it is. */
  asked = { conversation: 0, messages: 0 };

  /** As `conversationJoined` tells. */
  join(): void {
    const getMessages = (): Promise<never> => {
      this.asked.messages += 1;
      return this.#question();
    };
    const native = { sid: SID, lastReadMessageIndex: 0, lastMessage: undefined, getMessages };
    this.#joined = native as unknown as Conversation; // what a cursor reads of one
  }

  /** As `conversationLeft` tells. */
  leave(): void {
    this.#joined = undefined;
  }

  /** Answers the oldest question. */
  refuse(): void {
    this.#refusals.shift()?.();
  }

  readonly isJoined = (): boolean => this.#joined !== undefined;

  readonly conversation = (): Promise<Conversation> => {
    if (this.#joined !== undefined) return Promise.resolve(this.#joined);
    this.asked.conversation += 1;
    return this.#question();
  };

  readonly forget = (sid: string): void => {
    this.#joined = undefined;
    this.forgotten.push(sid);
  };

  #question(): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.#refusals.push(() => {
        reject(new ConnectorError('TARGET_NOT_FOUND', 'no such conversation'));
      });
    });
  }
}

function create(): {
  readonly clock: ManualClock;
  readonly gone: string[];
  readonly reader: ConversationReader;
  readonly session: ScriptedSession;
} {
  const clock = new ManualClock();
  const host = new RecordingHost({ clock });
  const parsed = parseEnvironment(twilioConfigSchema, ENVIRONMENT);
  if (!parsed.ok || !parsed.config.enabled) throw new Error(JSON.stringify(parsed));
  const session = new ScriptedSession();
  const gone: string[] = [];
  const ignore = (): void => undefined;
  const reader = new ConversationReader({
    config: parsed.config,
    host,
    random: () => 0.5,
    intake: { take: () => Promise.resolve([]) },
    signal: new AbortController().signal,
    session: () => session,
    onRead: ignore,
    onGone: (sid) => {
      gone.push(sid);
      reader.forget(sid);
    },
  });
  return { clock, gone, reader, session };
}

describe('ConversationReader', () => {
  it('forgets a conversation that the platform does not know', async () => {
    const { clock, gone, reader, session } = create();
    session.join();
    reader.wake(SID);
    await clock.advance(0);
    session.refuse();
    await clock.advance(60_000);
    expect([session.forgotten, gone, reader.pending]).toEqual([[SID], [SID], 0]);
  });

  it('reads one that was joined while the platform still said that it does not know it', async () => {
    const { clock, gone, reader, session } = create();
    reader.wake(SID);
    await clock.advance(0);
    session.join();
    reader.wake(SID);
    session.refuse();
    await clock.advance(0);
    expect([session.forgotten, gone, session.asked]).toEqual([[], [], { conversation: 1, messages: 1 }]);
  });

  it('reads one that the bot has left and joined again while a read was refused', async () => {
    const { clock, gone, reader, session } = create();
    session.join();
    reader.wake(SID);
    await clock.advance(0);
    session.leave();
    reader.forget(SID);
    session.join();
    reader.wake(SID);
    session.refuse();
    await clock.advance(0);
    expect([session.forgotten, gone, session.asked]).toEqual([[], [], { conversation: 0, messages: 2 }]);
  });
});
