import { type Clock } from '@bitbrat/foundation';

/** Milliseconds between two looks. */
const LOOK_EVERY_MS = 1000;

/** Milliseconds: what the machine corrects little by little is no step. */
const STEP_MS = 1000;

/** Notices within a second that the machine's clock was set, forward or back, by more than that; a suspended machine looks the same. */
export class ClockWatch {
  private offset: number;
  private cancel: () => void = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly onStep: (byMs: number) => void,
  ) {
    this.offset = this.measure();
    this.wait();
  }

  stop(): void {
    this.cancel();
  }

  private measure(): number {
    return this.clock.now() - this.clock.monotonic();
  }

  private wait(): void {
    this.cancel = this.clock.setTimeout(() => {
      this.wait();
      this.look();
    }, LOOK_EVERY_MS);
  }

  private look(): void {
    const offset = this.measure();
    const step = Math.round(offset - this.offset);
    this.offset = offset;
    if (Math.abs(step) > STEP_MS) this.onStep(step);
  }
}
