/** Twilio's clock: this machine's, moved by an offset. */
export class PlatformTime {
  /** @param offsetMs by which Twilio is ahead, in milliseconds; negative: behind */
  constructor(public offsetMs: number) {}

  /** Milliseconds since the epoch. */
  readonly now = (): number => Date.now() + this.offsetMs;

  /** As the header `Date` has it. */
  httpDate(): string {
    return new Date(this.now()).toUTCString();
  }
}
