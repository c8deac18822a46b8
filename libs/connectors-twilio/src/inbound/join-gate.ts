import { type ConnectorError, maskPhoneNumbers } from '@bitbrat/connectors-core';
import { type Clock } from '@bitbrat/foundation';
import { HoldReport } from './hold-report.js';
import { type ProblemReporter } from './partial-problem.js';
import { slowRetryMs } from './slow-retry.js';

/** Milliseconds until it is asked again whether the identity may be in one more conversation. It costs one request. */
const FULL_RETRY_MS = 60_000;

/** The identity is in as many conversations as Twilio allows. */
const CONVERSATION_LIMIT = '50214';

export interface JoinGateOptions {
  readonly clock: Clock;
  readonly identity: string;
  readonly problems: ProblemReporter;
}

/** What holds up the joining of all conversations. After its wait one attempt at a time finds out whether it is over. */
export class JoinGate {
  readonly #options: JoinGateOptions;
  readonly #identity: HoldReport;
  /** Credentials and rate limits. */
  readonly #api: HoldReport;
  #closed: { readonly error: ConnectorError; until: number; readonly failures: number } | undefined;

  constructor(options: JoinGateOptions) {
    this.#options = options;
    const { clock, identity, problems } = options;
    this.#identity = new HoldReport({ subject: `identity ${maskPhoneNumbers(identity)}`, clock, problems });
    this.#api = new HoldReport({ subject: 'REST API', clock, problems });
  }

  /** Milliseconds until an attempt is due; 0 where none is held up. */
  get remainingMs(): number {
    return Math.max(0, (this.#closed?.until ?? -Infinity) - this.#options.clock.monotonic());
  }

  /** Why nothing may be tried now. */
  closedBy(): ConnectorError | undefined {
    return this.remainingMs > 0 ? this.#closed?.error : undefined;
  }

  /** Attempts at once. @param usual where nothing holds them up */
  width(usual: number): number {
    if (this.#closed === undefined) return usual;
    return this.remainingMs > 0 ? 0 : 1;
  }

  /** An attempt has worked. */
  succeeded(): void {
    this.#closed = undefined;
    this.#identity.ended();
    this.#api.ended();
  }

  /** The bot has left a conversation, so it may be in another one: that is found out at once. */
  roomMade(): void {
    if (this.#closed !== undefined && isFull(this.#closed.error)) this.#closed.until = -Infinity;
  }

  /** An attempt was refused. @returns whether that is about all conversations */
  refused(error: ConnectorError): boolean {
    const failures = (this.#closed?.failures ?? 0) + 1;
    const waitMs = waitOf(error, failures);
    if (waitMs === undefined) {
      this.#refusedOne(error);
      return false;
    }
    this.#closed = { error, until: this.#options.clock.monotonic() + waitMs, failures };
    (isFull(error) ? this.#identity : this.#api).held(error, waitMs);
    return true;
  }

  /** A definite refusal of one conversation shows that the API works. Whether the identity has room it does not show. */
  #refusedOne({ failureClass }: ConnectorError): void {
    if (this.#closed === undefined || failureClass !== 'definite' || isFull(this.#closed.error)) return;
    this.#closed = undefined;
    this.#api.ended();
  }
}

function isFull({ nativeCode }: ConnectorError): boolean {
  return nativeCode === CONVERSATION_LIMIT;
}

/** Undefined where the refusal is about the one conversation. */
function waitOf(error: ConnectorError, failures: number): number | undefined {
  if (isFull(error)) return FULL_RETRY_MS;
  if (error.code === 'AUTH_FAILED') return slowRetryMs(failures);
  return error.retryAfterMs;
}
