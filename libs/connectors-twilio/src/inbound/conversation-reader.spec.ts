import { ConnectorError } from '@bitbrat/connectors-core';
import { RecordingHost } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { type Conversation } from '@twilio/conversations';
import { ConversationReader } from './conversation-reader.js';

const SID = 'CH1';
/** A client of the SDK that knows one conversation at most; its questions wait for the test's answer. */
class ScriptedSession {
  readonly forgotten: string[] = [];
  readonly #refusals: ((error: unknown) => void)[] = [];
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
  refuse(error: unknown = new ConnectorError('TARGET_NOT_FOUND', 'no such conversation')): void {
    this.#refusals.shift()?.(error);
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
      this.#refusals.push(reject);
    });
  }
}

function create(): {
  readonly clock: ManualClock;
  readonly gone: string[];
  readonly reader: ConversationReader;
  readonly session: ScriptedSession;
  /** Subjects that fail now. */
  readonly failing: Set<string>;
} {
  const clock = new ManualClock();
  const host = new RecordingHost({ clock });
  const session = new ScriptedSession();
  const gone: string[] = [];
  const failing = new Set<string>();
  const problems = {
    failed: (subject: string) => void failing.add(subject),
    solved: (subject: string) => void failing.delete(subject),
  };
  const ignore = (): void => undefined;
  const reader = new ConversationReader({
    host,
    random: () => 0.5,
    intake: { take: () => Promise.resolve([]) },
    signal: new AbortController().signal,
    session: () => session,
    onRead: ignore,
    oldest: () => Promise.resolve(-Infinity),
    onPassedOver: ignore,
    problems,
    onGone: (sid) => {
      gone.push(sid);
      reader.forget(sid);
    },
  });
  return { clock, failing, gone, reader, session };
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

  it.each([
    ['403 without a code', { status: 403, message: 'Forbidden' }],
    ['403 with a code that no table lists', { status: 403, message: 'x', body: { code: 59999 } }],
    ['400', { status: 400, message: 'x', body: { code: 20001 } }],
    ['418', { status: 418, message: 'x' }],
  ])('reads one that answers %s again, slowly, and reports it meanwhile', async (_, refusal) => {
    const { clock, failing, gone, reader, session } = create();
    session.join();
    reader.wake(SID);
    await clock.advance(0);
    session.refuse(refusal);
    await clock.advance(0);
    const isPassing = refusal.status === 418;
    if (!isPassing) expect([...failing]).toEqual(['reading conversations']);
    expect([gone, session.forgotten]).toEqual([[], []]);
    await clock.advance(59_000);
    if (!isPassing) expect(session.asked.messages).toBe(1);
    await clock.advance(2_000);
    expect(session.asked.messages).toBe(2);
  });

  it.each([
    [61, ['reading conversations']],
    [60, []],
  ])('reports one that must not be read for %d s', async (seconds, subjects) => {
    const { clock, failing, reader, session } = create();
    session.join();
    reader.wake(SID);
    await clock.advance(0);
    session.refuse(new ConnectorError('RATE_LIMITED', 'no', { retryAfterMs: seconds * 1_000 }));
    await clock.advance(0);
    expect([...failing]).toEqual(subjects);
  });
});
