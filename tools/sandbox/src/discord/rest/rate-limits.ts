/** What a bucket says to one request. */
export interface BucketVerdict {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds until the bucket is full again. */
  readonly resetAfterMs: number;
  /** When that is, in milliseconds since the Unix epoch. */
  readonly resetAt: number;
}

interface Bucket {
  used: number;
  readonly resetAt: number;
}

/** Buckets that fill up with requests and are emptied as a whole at the end of their window, as Discord's are. */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();

  /** @param now milliseconds since the Unix epoch. @param limit requests per `windowMs` milliseconds. */
  constructor(
    private readonly now: () => number,
    private readonly limit: number,
    private readonly windowMs: number,
  ) {}

  /** Counts a request in a bucket, unless the bucket is full. */
  take(key: string): BucketVerdict {
    const now = this.now();
    let bucket = this.#buckets.get(key);
    if (bucket === undefined || bucket.resetAt <= now) {
      bucket = { used: 0, resetAt: now + this.windowMs };
      this.#buckets.set(key, bucket);
    }
    const allowed = bucket.used < this.limit;
    if (allowed) bucket.used += 1;
    return {
      allowed,
      limit: this.limit,
      remaining: this.limit - bucket.used,
      resetAfterMs: bucket.resetAt - now,
      resetAt: bucket.resetAt,
    };
  }
}

/** Discord's headers for a bucket's state; times in seconds with three decimals. */
export function bucketHeaders(bucketId: string, verdict: BucketVerdict): Record<string, string> {
  return {
    'x-ratelimit-bucket': bucketId,
    'x-ratelimit-limit': String(verdict.limit),
    'x-ratelimit-remaining': String(verdict.remaining),
    'x-ratelimit-reset': (verdict.resetAt / 1_000).toFixed(3),
    'x-ratelimit-reset-after': (verdict.resetAfterMs / 1_000).toFixed(3),
  };
}

/** Counts the answers that Discord calls invalid (401, 403, 429), and tells when they are too many. */
export class InvalidRequestCounter {
  #times: number[] = [];

  /** @param limit answers within `windowMs` milliseconds that end in a ban. */
  constructor(
    private readonly now: () => number,
    private readonly limit: number,
    private readonly windowMs: number,
  ) {}

  /** Takes an answer into account. A 429 of scope `shared` does not count. */
  record(status: number, scope: string | undefined): void {
    if (status === 401 || status === 403 || (status === 429 && scope !== 'shared')) {
      this.#times.push(this.now());
    }
  }

  /** Invalid answers within the window. */
  get count(): number {
    const start = this.now() - this.windowMs;
    this.#times = this.#times.filter((time) => time > start);
    return this.#times.length;
  }

  /** Whether requests are refused for now. */
  get banned(): boolean {
    return this.count >= this.limit;
  }
}
