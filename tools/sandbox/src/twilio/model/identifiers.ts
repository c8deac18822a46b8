import { randomBytes } from 'node:crypto';

/** Prefixes of the SIDs that the sandbox gives out. */
export type SidPrefix = 'CH' | 'DY' | 'ES' | 'ET' | 'IM' | 'MB' | 'ME' | 'MP' | 'RL' | 'SM' | 'US';

/** Makes a SID: the prefix and 32 hexadecimal digits. `random` returns that many bytes, as `crypto.randomBytes` does. */
export function createSid(prefix: SidPrefix, random: (bytes: number) => Buffer = randomBytes): string {
  return `${prefix}${random(16).toString('hex')}`;
}

/** Whether `text` is a SID with this prefix. */
export function isSid(prefix: SidPrefix, text: string): boolean {
  return text.startsWith(prefix) && /^[0-9a-f]{32}$/.test(text.slice(prefix.length));
}
