import { type LogFields, type Logger, maskPhoneNumbers } from '@bitbrat/connectors-core';
import { type DestinationStream, pino } from 'pino';

/** Google Cloud Logging's severities by pino's levels (cloud.google.com/logging/docs/structured-logging). */
const SEVERITIES: Readonly<Record<string, string>> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};

/** Never logged, whatever the level. */
const SECRET_KEY = /token|secret|password|authorization|apikey|credential/i;
/** What people wrote: at debug only. */
const CONTENT_KEY = /^(text|body|content|message_text)$/i;

const MAX_DEPTH = 6;

function sanitise(value: unknown, level: string, depth: number): unknown {
  if (typeof value === 'string') return level === 'debug' ? value : maskPhoneNumbers(value);
  if (value instanceof Error)
    return sanitise({ name: value.name, message: value.message, stack: value.stack }, level, depth);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item: unknown) => sanitise(item, level, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => level === 'debug' || !CONTENT_KEY.test(key))
      .map(([key, item]: [string, unknown]) => [
        key,
        SECRET_KEY.test(key) ? '[redacted]' : sanitise(item, level, depth + 1),
      ]),
  );
}

/**
 * Structured JSON logs that Google Cloud Logging understands: `severity`, `message`, `time`.
 *
 * Secrets are redacted by name at each level; phone numbers are masked and message texts left out above debug.
 * @param destination where the lines go; standard output by default
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ severity: SEVERITIES[label] ?? 'DEFAULT' }) },
  };
  const sink = destination === undefined ? pino(options) : pino(options, destination);
  const write =
    (method: 'debug' | 'info' | 'warn' | 'error') =>
    (event: string, fields: LogFields = {}): void => {
      if (!sink.isLevelEnabled(method)) return;
      sink[method](sanitise(fields, method, 0) as object, event); // a record in, a record out
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
