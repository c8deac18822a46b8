/** Remembers for some minutes which message a nonce made, so that a repeated request makes no second one. */
export class NonceRegister<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly endsAt: number }>();

  /** @param now milliseconds. @param ttlMs milliseconds for which a nonce is remembered. */
  constructor(
    private readonly now: () => number,
    private readonly ttlMs: number,
  ) {}

  /** What the nonce made, if it is still remembered. */
  find(nonce: string | number): T | undefined {
    const entry = this.#entries.get(String(nonce));
    return entry === undefined || entry.endsAt <= this.now() ? undefined : entry.value;
  }

  /** Remembers what the nonce made, and forgets what is too old. */
  remember(nonce: string | number, value: T): void {
    const now = this.now();
    for (const [key, { endsAt }] of this.#entries) {
      if (endsAt > now) break;
      this.#entries.delete(key);
    }
    this.#entries.delete(String(nonce));
    this.#entries.set(String(nonce), { value, endsAt: now + this.ttlMs });
  }
}
