/** Facts that go with a log event: names, counts, reasons. Never a stored value. */
export type StateLogFields = Readonly<Record<string, unknown>>;

/** Messages are events: `state.request.failing {attempt, ...}`. */
export interface StateLogger {
  debug(event: string, fields?: StateLogFields): void;
  info(event: string, fields?: StateLogFields): void;
  warn(event: string, fields?: StateLogFields): void;
  error(event: string, fields?: StateLogFields): void;
}

const ignore = (): void => undefined;

/** Says nothing. */
export const silentStateLogger: StateLogger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** An error as a log field. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
