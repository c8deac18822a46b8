/** Facts that go with a log event. No message text, no secret, no whole phone number above `debug`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Messages are events: `connector.connected {connector, ...}`. pino and console-like loggers fit behind it. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

const ignore = (): void => undefined;

/** Discards everything. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
