/**
 * - `INVALID_OPTION`: an option or a variable of the environment is missing or malformed. The message names it.
 * - `INVALID_REPLY`: the gateway would refuse this answer. The same answer is refused again.
 * - `TOO_LATE`: `reply` was called after the handler had ended.
 * - `TIMED_OUT`: the handler took longer than `timeoutMs`.
 * - `STOPPED`: the bot is stopping.
 * - `BUS`: the bus refuses what the bot needs. The message says what to do.
 */
export type BotErrorCode = 'INVALID_OPTION' | 'INVALID_REPLY' | 'TOO_LATE' | 'TIMED_OUT' | 'STOPPED' | 'BUS';

/** The one error that this library throws. Its message names the cause and what to do about it. */
export class BotError extends Error {
  override readonly name = 'BotError';

  constructor(
    readonly code: BotErrorCode,
    message: string,
    options?: { readonly cause: unknown },
  ) {
    super(message, options);
  }
}
