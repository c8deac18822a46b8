/** Facts that go with a log event: names, ids, counts. Never a message's body. */
export type BusLogFields = Readonly<Record<string, unknown>>;

/** Messages are events: `bus.publish.failing {topic, ...}`. */
export interface BusLogger {
  debug(event: string, fields?: BusLogFields): void;
  info(event: string, fields?: BusLogFields): void;
  warn(event: string, fields?: BusLogFields): void;
  error(event: string, fields?: BusLogFields): void;
}

const ignore = (): void => undefined;

/** Says nothing. */
export const silentBusLogger: BusLogger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** An error as a log field. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
