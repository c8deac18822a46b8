import { maskPhoneNumbers } from '@bitbrat/connectors-core';
import { type LogFields } from '@bitbrat/foundation';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Never logged, whatever the level. */
const SECRET_KEY = /token|secret|password|authorization|apikey|credential/i;
/** Message texts: at debug only. */
const CONTENT_KEY = /^(text|body|content|message_text)$/i;

/** A line stays below 256 KiB, the limit of an entry of Google Cloud Logging, in all but absurd cases. */
const MAX = { depth: 6, characters: 8_192, entries: 100 } as const;

/**
 * The fields as they may be logged: secrets redacted by name; above debug, phone numbers masked and message texts
 * left out. Depth, entries and length of strings are bounded. Never throws.
 */
export function sanitise(fields: LogFields, level: LogLevel): LogFields {
  try {
    return sanitiseEntries(fields, level, 1);
  } catch (error) {
    // A getter or a proxy threw.
    return { unreadable: String(error) };
  }
}

function sanitiseEntries(value: object, level: LogLevel, depth: number): Record<string, unknown> {
  const entries = Object.entries(value)
    .filter(([key]) => level === 'debug' || !CONTENT_KEY.test(key))
    .slice(0, MAX.entries);
  return Object.fromEntries(
    entries.map(([key, item]: [string, unknown]) => [
      key,
      SECRET_KEY.test(key) ? '[redacted]' : sanitiseValue(item, level, depth),
    ]),
  );
}

function sanitiseValue(value: unknown, level: LogLevel, depth: number): unknown {
  if (typeof value === 'string') {
    const bounded = bound(value);
    return level === 'debug' ? bounded : maskPhoneNumbers(bounded);
  }
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  // Also `toJSON`, which would be called later.
  if (typeof value === 'function') return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Error) {
    const { message, name, stack } = value;
    return sanitiseValue({ name, message, stack }, level, depth);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX.depth) return '[deep]';
  if (!Array.isArray(value)) return sanitiseEntries(value, level, depth + 1);
  return value.slice(0, MAX.entries).map((item: unknown) => sanitiseValue(item, level, depth + 1));
}

function bound(text: string): string {
  const rest = text.length - MAX.characters;
  return rest <= 0 ? text : `${text.slice(0, MAX.characters)}… (${rest} more characters)`;
}
