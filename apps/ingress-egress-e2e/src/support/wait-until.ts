import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/** Resolves with the first value of `probe` that is not undefined. Rejects after `timeoutMs`, naming what was waited for. */
export async function waitUntil<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 45_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await delay(POLL_MS);
  }
}
