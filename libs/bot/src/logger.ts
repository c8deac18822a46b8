import { type BotLogger, type LogFields } from './bot.js';

const ignore = (): void => undefined;

/** Logs nothing. */
export const silentLogger: BotLogger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Where lines go. */
export interface LineOutput {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** A person reads it, and not a program. */
  readonly isTerminal: boolean;
}

/** JSON lines with the field `severity` that Cloud Logging reads; on a terminal short lines. `debug` is left out. */
export function createLogger(bot: string, output: LineOutput): BotLogger {
  const line = output.isTerminal ? terminalLine : jsonLine;
  const to =
    (severity: string, write: (line: string) => void) =>
    (event: string, fields: LogFields = {}): void => {
      write(line(severity, bot, event, fields));
    };
  return {
    debug: ignore,
    info: to('INFO', output.out),
    warn: to('WARNING', output.err),
    error: to('ERROR', output.err),
  };
}

function jsonLine(severity: string, bot: string, event: string, fields: LogFields): string {
  return JSON.stringify({ severity, message: event, bot, ...fields });
}

function terminalLine(severity: string, bot: string, event: string, fields: LogFields): string {
  const facts = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`],
  );
  const mark = severity === 'INFO' ? '' : `${severity.toLowerCase()}: `;
  return `[${bot}] ${mark}${event}${facts.join('')}`;
}

/** The process's own streams. A reader that has gone away is no reason to stop. */
export function standardOutput(): LineOutput {
  const write = (stream: NodeJS.WriteStream) => (line: string) => {
    stream.write(`${line}\n`, () => undefined);
  };
  return {
    out: write(process.stdout),
    err: write(process.stderr),
    isTerminal: process.stdout.isTTY,
  };
}
