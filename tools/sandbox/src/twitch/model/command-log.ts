/** A command that a client had the server execute, wanted or not. */
export interface ExecutedCommand {
  /** Position among all commands, from 1. */
  readonly seq: number;
  /** The channel that it was about; undefined where it names none. */
  readonly channel: string | undefined;
  readonly login: string;
  /**
   * `chat`: a message that began with `/` or `.`. `line`: a further line in one frame, which is how a CR or LF in a
   * text shows itself.
   */
  readonly via: 'chat' | 'line';
  /** `ban`, `timeout`, ... for `chat`; the IRC command, `PRIVMSG`, `JOIN`, ... for `line`. */
  readonly name: string;
  /** As it came in, whole. */
  readonly text: string;
  /** `ignored`: the account was over its rate limit. */
  readonly result: 'executed' | 'refused' | 'unknown' | 'ignored';
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The commands so far. A client that means to send text alone leaves it empty. */
export class CommandLog {
  readonly #commands: ExecutedCommand[] = [];

  constructor(
    private readonly now: () => number,
    private readonly changed: () => void,
  ) {}

  /** All, oldest first; or those of one channel. */
  list(channel?: string): readonly ExecutedCommand[] {
    return channel === undefined
      ? this.#commands
      : this.#commands.filter((command) => command.channel === channel);
  }

  record(command: Omit<ExecutedCommand, 'seq' | 'at'>): void {
    this.#commands.push({ ...command, seq: this.#commands.length + 1, at: this.now() });
    this.changed();
  }
}
