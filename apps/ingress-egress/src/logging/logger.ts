import { type Clock, type LogFields, type Logger, systemClock } from '@bitbrat/foundation';
import { type DestinationStream, pino } from 'pino';
import { RepeatFilter } from './repeat-filter.js';
import { type LogLevel, sanitise } from './sanitise.js';

/** Google Cloud Logging's severities by pino's levels (cloud.google.com/logging/docs/structured-logging). */
const SEVERITIES: Readonly<Record<string, string>> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};

/** The logger of the process. No method throws. */
export interface ServiceLogger extends Logger {
  /** Logs how often events have repeated that were held back. */
  flush(): void;
}

/**
 * Structured JSON logs that Google Cloud Logging understands: `severity`, `message`, `time`.
 *
 * Secrets are redacted by name at each level; phone numbers are masked and message texts left out above debug. Equal
 * warnings and errors are counted and reported once a minute (`RepeatFilter`).
 * @param destination gets one line at a time; it must neither block nor throw
 */
export function createLogger(
  level: string,
  destination: DestinationStream,
  clock: Clock = systemClock,
): ServiceLogger {
  const sink = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label: string) => ({ severity: SEVERITIES[label] ?? 'DEFAULT' }) },
    },
    destination,
  );
  const emit = (at: LogLevel, event: string, fields: LogFields): void => {
    sink[at](fields, event);
  };
  const filter = new RepeatFilter(clock, emit);
  const write =
    (at: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      if (!sink.isLevelEnabled(at)) return;
      const clean = sanitise(fields, at);
      if (filter.admits(at, event, clean)) emit(at, event, clean);
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    flush: () => {
      filter.flush();
    },
  };
}
