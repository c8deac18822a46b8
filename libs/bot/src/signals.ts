import { type RunningBot } from './bot.js';

/** What we use of the process, so that a test can pass another one. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  off(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Ends the process in order at the first SIGTERM or SIGINT, and at once at the second.
 *
 * A handler that hangs would otherwise keep the process alive until the platform kills it. A bot that is not subscribed yet has
 * nothing in hand and is ended at once.
 */
export function stopOnSignals(
  source: SignalSource,
  running: () => RunningBot | undefined,
): { dispose(): void } {
  let isStopping = false;
  const onSignal = (): void => {
    const bot = running();
    if (isStopping || bot === undefined) {
      source.exit(isStopping ? 1 : 0);
      return;
    }
    isStopping = true;
    bot.stop().then(
      () => {
        source.exit(0);
      },
      () => {
        source.exit(1);
      },
    );
  };
  for (const signal of SIGNALS) source.on(signal, onSignal);
  return {
    dispose: () => {
      for (const signal of SIGNALS) source.off(signal, onSignal);
    },
  };
}
