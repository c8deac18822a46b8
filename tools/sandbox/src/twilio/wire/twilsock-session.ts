import { randomBytes } from 'node:crypto';

/** What the server remembers of one client over its reconnects: which events it must never see. */
export class TwilsockSession {
  /** Sequences of single events whose push was lost for good. */
  readonly lost = new Set<number>();
  #outageSince: number | undefined;
  readonly #outages: { readonly after: number; readonly until: number }[] = [];

  /** @param token what the client shows when it comes back. */
  constructor(readonly token: string) {}

  /** Begins an outage: events after `sequence` stay unseen until it ends. */
  beginOutage(sequence: number): void {
    this.#outageSince ??= sequence;
  }

  /** Ends an outage: what happened in it stays unseen. */
  endOutage(sequence: number): void {
    if (this.#outageSince === undefined) return;
    this.#outages.push({ after: this.#outageSince, until: sequence });
    this.#outageSince = undefined;
  }

  /** Whether an event must not be replayed to this client. */
  isLost(sequence: number): boolean {
    return (
      this.lost.has(sequence) ||
      this.#outages.some(({ after, until }) => sequence > after && sequence <= until)
    );
  }
}

/** The sessions by continuation token. */
export class TwilsockSessions {
  readonly #sessions = new Map<string, TwilsockSession>();

  /** Finds the client's session, or starts one when it shows no known token. `sequence` is that of the newest event. */
  resume(
    continuation: unknown,
    sequence: number,
  ): { readonly session: TwilsockSession; readonly reissued: boolean } {
    const known = typeof continuation === 'string' ? this.#sessions.get(continuation) : undefined;
    known?.endOutage(sequence);
    if (known !== undefined) return { session: known, reissued: false };
    const session = new TwilsockSession(randomBytes(20).toString('hex'));
    this.#sessions.set(session.token, session);
    return { session, reissued: true };
  }
}
