import { type ErrorInfo } from '@bitbrat/envelope';
import { messageOf } from '@bitbrat/foundation';
import { boundRetryAfter } from './retry-after.js';

/**
 * What each code means and what follows from it.
 *
 * `retryable`: trying the same again later may succeed. `ambiguous`: the platform may have done the work
 * although it looks failed, so look before trying again where the platform gives a means.
 */
export const CONNECTOR_ERRORS = {
  AUTH_FAILED: {
    retryable: false,
    ambiguous: false,
    hint: 'check the credentials and that they were not revoked',
  },
  CONFIG_INVALID: { retryable: false, ambiguous: false, hint: 'correct the settings that the message names' },
  EXPIRED: {
    retryable: false,
    ambiguous: false,
    hint: 'send it sooner, or with a later expiresAt',
  },
  FORBIDDEN: { retryable: false, ambiguous: false, hint: 'give the bot the right that the message names' },
  NOT_CONNECTED: { retryable: true, ambiguous: false, hint: 'wait: the connector is connecting again' },
  PAYLOAD_INVALID: {
    retryable: false,
    ambiguous: false,
    hint: 'correct the message: the platform cannot take it',
  },
  RATE_LIMITED: { retryable: true, ambiguous: false, hint: 'wait: the platform asks for fewer requests' },
  SIGNATURE_INVALID: {
    retryable: false,
    ambiguous: false,
    hint: 'check the auth token and that the public webhook URL is exactly the one set at the platform',
  },
  TARGET_NOT_FOUND: { retryable: false, ambiguous: false, hint: 'check the destination: it does not exist' },
  RECIPIENT_OPTED_OUT: { retryable: false, ambiguous: false, hint: 'the recipient must write START first' },
  TIMEOUT: { retryable: true, ambiguous: true, hint: 'wait: the platform did not answer in time' },
  UNSUPPORTED: { retryable: false, ambiguous: false, hint: 'the platform cannot do that' },
  UPSTREAM_UNAVAILABLE: { retryable: true, ambiguous: true, hint: 'wait: the platform is not well' },
  INTERNAL: { retryable: true, ambiguous: true, hint: 'look at the log: this is a fault of the gateway' },
} as const satisfies Record<string, { retryable: boolean; ambiguous: boolean; hint: string }>;

export type ConnectorErrorCode = keyof typeof CONNECTOR_ERRORS;

export function isConnectorErrorCode(code: string): code is ConnectorErrorCode {
  return Object.hasOwn(CONNECTOR_ERRORS, code);
}

export interface ConnectorErrorOptions {
  readonly cause?: unknown;
  /** The platform's own code: `50433`, `msg_banned`, `10003`. */
  readonly nativeCode?: string | undefined;
  /**
   * The platform asks to wait this long, in milliseconds. `MAX_RETRY_AFTER_MS` at most counts; what is no such number is
   * ignored.
   */
  readonly retryAfterMs?: number | undefined;
  /** What a person can do, where the message can say more than the table. */
  readonly hint?: string | undefined;
  /**
   * True where no table lists the platform's answer (an unknown status, type or code): the code is a guess, and nobody
   * may conclude from it that trying again is useless.
   */
  readonly unlisted?: boolean | undefined;
  /** False where the platform was not asked yet, so that nothing can stand there; default: as the table says for the code. */
  readonly ambiguous?: boolean | undefined;
  /** Parts of a split text that the platform has already accepted before the error. */
  readonly sentMessageIds?: readonly string[] | undefined;
}

/**
 * How soon connecting is tried again after an error. `transient`: soon, with back-off. `definite`: the platform has said
 * that it will not work as things are. `unlisted`: it has said something that no table lists. The last two are tried
 * again slowly.
 */
export type FailureClass = 'transient' | 'definite' | 'unlisted';

/** The one error that connectors reject with. The code decides what follows. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
  readonly nativeCode: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly hint: string;
  readonly unlisted: boolean;
  readonly ambiguous: boolean;
  readonly sentMessageIds: readonly string[];

  constructor(
    readonly code: ConnectorErrorCode,
    message: string,
    options: ConnectorErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.nativeCode = options.nativeCode;
    this.retryAfterMs = boundRetryAfter(options.retryAfterMs);
    this.hint = options.hint ?? CONNECTOR_ERRORS[code].hint;
    this.unlisted = options.unlisted ?? false;
    this.ambiguous = options.ambiguous ?? CONNECTOR_ERRORS[code].ambiguous;
    this.sentMessageIds = options.sentMessageIds ?? [];
  }

  get retryable(): boolean {
    return CONNECTOR_ERRORS[this.code].retryable;
  }

  get failureClass(): FailureClass {
    if (this.unlisted) return 'unlisted';
    return this.retryable ? 'transient' : 'definite';
  }

  /** The same error, which says that parts of the text stand already: nobody shall take the message for unsent. */
  withSent(sentMessageIds: readonly string[]): ConnectorError {
    if (sentMessageIds.length === 0) return this;
    const { ambiguous, cause, code, hint, message, nativeCode, retryAfterMs, unlisted } = this;
    return new ConnectorError(code, message, {
      ambiguous,
      cause,
      hint,
      nativeCode,
      retryAfterMs,
      unlisted,
      sentMessageIds,
    });
  }
}

/** What is no ConnectorError is a fault of ours: code `INTERNAL`, the original as its cause. */
export function toConnectorError(error: unknown): ConnectorError {
  if (error instanceof ConnectorError) return error;
  return new ConnectorError('INTERNAL', messageOf(error), { cause: error });
}

/** The longest message of an error that travels, in UTF-16 code units: a platform may answer with a whole page. */
const MAX_MESSAGE_LENGTH = 2_000;

/** The longest code of a platform. */
const MAX_NATIVE_CODE_LENGTH = 200;

/** The error as it travels on the bus and stands in snapshots. Its texts are cut to a length that always fits. */
export function toErrorInfo(error: ConnectorError): ErrorInfo {
  return {
    code: error.code,
    message: cut(error.message, MAX_MESSAGE_LENGTH),
    retryable: error.retryable,
    ...(error.nativeCode === undefined ? {} : { nativeCode: cut(error.nativeCode, MAX_NATIVE_CODE_LENGTH) }),
  };
}

function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1).toWellFormed()}…`;
}
