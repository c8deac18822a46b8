import { type LogFields, type Logger } from '@bitbrat/foundation';

export interface LogEntry {
  readonly level: keyof Logger;
  readonly event: string;
  readonly fields: LogFields;
}

/** Keeps what is logged, for the spec to read. */
export class RecordingLogger implements Logger {
  readonly entries: LogEntry[] = [];

  readonly debug = this.#record('debug');
  readonly info = this.#record('info');
  readonly warn = this.#record('warn');
  readonly error = this.#record('error');

  #record(level: keyof Logger): (event: string, fields?: LogFields) => void {
    return (event, fields = {}) => {
      this.entries.push({ level, event, fields });
    };
  }
}
