/**
 * Lets many requests to a topic run side by side, and a restoration of the topic only while none does.
 *
 * Otherwise a message could slip in between the topic's creation and that of its subscriptions, which would miss it.
 */
export class TopicBarrier {
  private requests = 0;
  private restoration: Promise<void> | undefined;
  private onQuiet: (() => void) | undefined;

  /** Runs `request` as soon as no restoration is under way. */
  async pass<T>(request: () => Promise<T>): Promise<T> {
    while (this.restoration !== undefined) await this.restoration.catch(() => undefined);
    this.requests++;
    try {
      return await request();
    } finally {
      this.requests--;
      if (this.requests === 0) this.onQuiet?.();
    }
  }

  /** Runs `work` as soon as the requests under way have ended. Who comes while it runs gets the same result. */
  restore(work: () => Promise<void>): Promise<void> {
    this.restoration ??= this.runAlone(work).finally(() => {
      this.restoration = undefined;
    });
    return this.restoration;
  }

  private async runAlone(work: () => Promise<void>): Promise<void> {
    if (this.requests > 0) await new Promise<void>((resolve) => (this.onQuiet = resolve));
    this.onQuiet = undefined;
    await work();
  }
}
