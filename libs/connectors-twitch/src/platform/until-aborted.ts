/** Settles as `work` does, or rejects with what `toError` makes when aborted first; `work` goes on. */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  toError: () => Error,
): Promise<T> {
  if (signal.aborted) throw toError();
  const done = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = (): void => {
      reject(toError());
    };
    signal.addEventListener('abort', giveUp, { once: true, signal: done.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    done.abort();
  }
}
