import { type IngressGap } from '@bitbrat/connectors-core';
import { type Clock, type Logger } from '@bitbrat/foundation';

/** Milliseconds for which gaps of several channels are gathered into one. */
const GATHER_MS = 1_000;

/** Milliseconds until a gap is told again that the bus has refused. */
const RETRY_MS = 30_000;

export interface GapTellerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gaps wait: `take` is to be called, now or when the connector is connected. */
  readonly onDue: () => void;
}

/** Gaps on their way to the bus, and those who wait until it has them. */
interface Report {
  readonly gap: IngressGap;
  readonly onTold: readonly (() => void)[];
}

/** Keeps what cannot be read any more until the bus has it; told once for all channels that tell it at the same time. */
export class GapTeller {
  readonly #options: GapTellerOptions;
  #report: Report | undefined;
  #cancel: (() => void) | undefined;
  #isStopped = false;

  constructor(options: GapTellerOptions) {
    this.#options = options;
  }

  /** @param onTold called once the bus has the gap */
  add(gap: IngressGap, onTold: () => void): void {
    this.#options.logger.warn('discord.gap', { ...gap });
    this.#keep({ gap, onTold: [onTold] }, GATHER_MS);
  }

  /** Tells what waits. @param say gets the gap, if there is one; resolves to whether the bus has it, never rejects */
  async tell(say: (gap: IngressGap | undefined) => Promise<boolean>): Promise<void> {
    const report = this.#report;
    this.#report = undefined;
    const isTold = await say(report?.gap);
    if (report === undefined) return;
    if (!isTold) this.#keep(report, RETRY_MS);
    else for (const told of report.onTold) told();
  }

  /** Nothing is told any more: what the bus has not is found again after the next start, because no cursor has moved past it. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #keep(report: Report, delayMs: number): void {
    if (this.#isStopped) return;
    this.#report = this.#report === undefined ? report : join(this.#report, report);
    this.#cancel ??= this.#options.clock.setTimeout(() => {
      this.#cancel = undefined;
      if (this.#report !== undefined) this.#options.onDue();
    }, delayMs);
  }
}

function join(a: Report, b: Report): Report {
  const { gap } = a;
  const { from, reason: other, to } = b.gap;
  const reason =
    gap.reason.includes(other) || gap.reason.length > 500 ? gap.reason : `${gap.reason}; ${other}`;
  return {
    gap: { from: gap.from < from ? gap.from : from, to: gap.to > to ? gap.to : to, reason },
    onTold: [...a.onTold, ...b.onTold],
  };
}
