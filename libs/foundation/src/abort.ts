/** An abort of one call that a long-lived signal can cause, too. */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  /** To be called at the end of the call, or the long-lived signal would remember it for ever. */
  release(): void;
}

/** Makes an abort that follows all of `signals` until it is released. */
export function linkAbort(...signals: readonly (AbortSignal | null | undefined)[]): LinkedAbort {
  const controller = new AbortController();
  const follow = (): void => {
    controller.abort();
  };
  for (const signal of signals) {
    if (signal?.aborted === true) follow();
    signal?.addEventListener('abort', follow, { once: true });
  }
  return {
    signal: controller.signal,
    release: () => {
      for (const signal of signals) signal?.removeEventListener('abort', follow);
    },
  };
}
