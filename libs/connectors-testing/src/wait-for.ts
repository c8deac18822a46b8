import { AssertionError } from 'node:assert/strict';

/** How often a condition is looked at, in milliseconds. */
const POLL_MS = 5;

/**
 * Resolves as soon as `check` is true.
 * @param description what is waited for, for the error
 * @throws AssertionError after `timeoutMs`, naming the description; whatever `check` throws
 */
export async function waitFor(
  check: () => boolean | Promise<boolean>,
  timeoutMs: number,
  description: string,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() >= deadline) {
      throw new AssertionError({ message: `waited ${timeoutMs} ms in vain for: ${description}` });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * Settles as `work` does.
 * @throws AssertionError where it has not settled after `timeoutMs`
 */
export async function within<T>(work: Promise<T>, timeoutMs: number, description: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new AssertionError({ message: `waited ${timeoutMs} ms in vain for: ${description}` }));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
