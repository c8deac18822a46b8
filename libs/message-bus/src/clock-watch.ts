import { type BusClock } from './clock.js';

/** Milliseconds between two looks. */
const LOOK_EVERY_MS = 1000;

/** Notices within a second that the machine's clock was set back by more than that. */
export class ClockWatch {
  private last: number;
  private cancel: () => void = () => undefined;

  constructor(
    private readonly clock: BusClock,
    private readonly onSetBack: (byMs: number) => void,
  ) {
    this.last = clock.now();
    this.look();
  }

  stop(): void {
    this.cancel();
  }

  private look(): void {
    this.cancel = this.clock.setTimeout(() => {
      this.look();
    }, LOOK_EVERY_MS);
    const now = this.clock.now();
    const { last } = this;
    this.last = now;
    if (now < last) this.onSetBack(last - now);
  }
}
