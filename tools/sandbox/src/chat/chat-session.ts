import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import { type ChatMessage, type ChatPlatform } from './chat-platform.js';
import { followRoom } from './room-follower.js';
import { Transcript } from './transcript.js';

/** Messages of before that are shown at the start, and by `/history`. */
const SHOWN_AT_START = 20;

const HELP = `/as NAME   write as somebody else        /history   all messages here
/help      this text                     /quit      end (Ctrl-C does, too)
Anything else is sent. A text that begins with a slash: write two (//text).`;

export interface ChatSessionOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** A person types: with a prompt. Otherwise lines are sent one after the other, each with its answer. */
  readonly isTerminal: boolean;
  readonly person: string;
  /** How long an answer is waited for where nobody types, in milliseconds. */
  readonly waitMs: number;
}

/** A conversation of one or several people with the bot, until its input ends. */
export class ChatSession {
  readonly #transcript: Transcript;
  readonly #ended = new AbortController();
  readonly #followed = new Set<string>();
  readonly #lines: Interface;
  readonly #input: AsyncIterable<string>;
  #person: string;
  #unanswered = 0;

  constructor(
    private readonly platform: ChatPlatform,
    private readonly options: ChatSessionOptions,
  ) {
    const { input, isTerminal, output, person } = options;
    this.#transcript = new Transcript(platform);
    this.#person = person;
    this.#lines = createInterface({
      input,
      ...(isTerminal ? { output } : {}),
      terminal: isTerminal,
      historySize: 500,
    });
    // From now on lines are kept; those that come before an iterator is asked for would be lost.
    const lines = this.#lines[Symbol.asyncIterator]();
    this.#input = { [Symbol.asyncIterator]: () => lines };
  }

  /**
   * Resolves with how many messages had no answer in time (0 where a person types).
   * @throws Error where the sandbox does not answer at the start
   */
  async run(): Promise<number> {
    const { isTerminal } = this.options;
    this.#transcript.add(this.#person);
    await this.#enter(SHOWN_AT_START);
    if (isTerminal)
      this.#print(`You write as ${this.#label()} on ${this.platform.name}. /help lists commands.`);
    this.#lines.on('SIGINT', () => {
      this.close();
    });
    this.#prompt();
    for await (const line of this.#input) {
      await this.#take(line).catch((error: unknown) => {
        if (!isTerminal) throw error;
        this.#print(error instanceof Error ? error.message : String(error));
      });
      if (this.#ended.signal.aborted) break;
      this.#prompt();
    }
    this.close();
    return this.#unanswered;
  }

  /** Ends it. Idempotent. */
  close(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#lines.close();
    if (this.options.isTerminal) this.options.output.write('\n');
  }

  async #take(line: string): Promise<void> {
    const [command = '', argument = ''] = line.trim().split(/\s+(.*)/s);
    switch (command) {
      case '':
        return;
      case '/as':
        return this.#become(argument.trim());
      case '/history':
        return this.#showHistory(Infinity);
      case '/help':
        this.#print(HELP);
        return;
      case '/quit':
        this.close();
        return;
      default:
        if (/^\/[^/]/.test(command)) throw new Error(`there is no ${command}: /help lists commands`);
        return this.#send(line.startsWith('//') ? line.slice(1) : line);
    }
  }

  async #become(person: string): Promise<void> {
    if (person === '') throw new Error('/as: expected a name');
    this.#person = person;
    this.#transcript.add(person);
    if (this.options.isTerminal) this.#print(`You write as ${this.#label()} now.`);
    await this.#enter(0);
  }

  async #send(text: string): Promise<void> {
    const { isTerminal, waitMs } = this.options;
    const person = this.#person;
    const written = await this.platform.write(person, text);
    if (isTerminal) {
      this.#follow(written.room, written.cursor, person);
      return;
    }
    const author = this.platform.authorOf(person);
    this.#print(this.#transcript.format({ author, text, cursor: written.cursor }));
    const answers = await this.#answers(written.room, written.cursor, waitMs);
    for (const message of answers) this.#print(this.#format(message, person));
    if (answers.length > 0) return;
    this.#unanswered += 1;
    this.#print(`(no answer within ${waitMs / 1_000} s: is a bot running?)`);
  }

  /** The first messages of others after the cursor. */
  async #answers(room: string, cursor: string, waitMs: number): Promise<readonly ChatMessage[]> {
    const end = performance.now() + waitMs;
    let after = cursor;
    for (;;) {
      const left = Math.max(0, Math.round(end - performance.now()));
      const messages = await this.platform.read(room, after, left, this.#ended.signal);
      const answers = messages.filter((message) => !this.#transcript.isOwn(message));
      if (answers.length > 0 || messages.length === 0) return answers;
      after = messages.at(-1)?.cursor ?? after;
    }
  }

  /** Shows what was said where the person writes, and reads on from there. */
  async #enter(shown: number): Promise<void> {
    const room = await this.platform.roomOf(this.#person);
    if (room === undefined || !this.options.isTerminal || this.#followed.has(room)) return;
    const before = await this.platform.read(room, this.platform.start, 0);
    for (const message of shown === 0 ? [] : before.slice(-shown)) {
      this.#print(this.#format(message, this.#person));
    }
    this.#follow(room, before.at(-1)?.cursor ?? this.platform.start, this.#person);
  }

  async #showHistory(count: number): Promise<void> {
    const room = await this.platform.roomOf(this.#person);
    const messages = room === undefined ? [] : await this.platform.read(room, this.platform.start, 0);
    if (messages.length === 0) this.#print('(nothing was said here yet)');
    for (const message of messages.slice(-count)) this.#print(this.#format(message, this.#person));
  }

  #follow(room: string, cursor: string, person: string): void {
    if (this.#followed.has(room)) return;
    this.#followed.add(room);
    const events = {
      onMessage: (message: ChatMessage) => {
        if (!this.#transcript.isOwn(message)) this.#print(this.#format(message, person));
      },
      onAway: (reason: string) => {
        this.#print(`(${reason})`);
      },
    };
    void followRoom(this.platform, { room, cursor }, events, this.#ended.signal).then(() =>
      this.#followed.delete(room),
    );
  }

  /** Where each person has a room of their own, an answer says to whom it goes. */
  #format(message: ChatMessage, person: string): string {
    return this.#transcript.format(message, this.platform.hasRoomPerPerson ? person : undefined);
  }

  #label(): string {
    return this.#transcript.labelOf(this.platform.authorOf(this.#person));
  }

  #prompt(): void {
    if (!this.options.isTerminal || this.#ended.signal.aborted) return;
    this.#lines.setPrompt(`${this.#person}> `);
    this.#lines.prompt(true);
  }

  #print(line: string): void {
    const { isTerminal, output } = this.options;
    if (this.#ended.signal.aborted) return;
    if (isTerminal) {
      clearLine(output, 0);
      cursorTo(output, 0);
    }
    output.write(`${line}\n`);
    this.#prompt();
  }
}
