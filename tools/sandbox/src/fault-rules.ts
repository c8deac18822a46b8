/** What every armed fault may say about when it strikes; see the fault schema. */
export interface FaultLimits {
  readonly kind: string;
  readonly skip?: number | undefined;
  readonly count?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly probability?: number | undefined;
}

/** An armed fault as the control API shows it. */
export interface FaultView<F extends FaultLimits> {
  readonly id: string;
  readonly fault: F;
  /** How often it has struck. */
  readonly strikes: number;
}

/** What a fault did: the sockets that it acted on at once, and the id of what stays armed. */
export interface FaultReceipt {
  readonly id: string | null;
  readonly sockets: number;
}

interface Rule<F extends FaultLimits> extends FaultView<F> {
  strikes: number;
  passed: number;
  readonly endsAt: number;
}

/** The armed faults: which of them strikes when. What a strike means is up to whoever asks. */
export class FaultRules<F extends FaultLimits> {
  readonly #rules: Rule<F>[] = [];
  #lastId = 0;

  /** @param now milliseconds since the epoch. @param random numbers in [0, 1). @param onStrike after each strike. */
  constructor(
    private readonly now: () => number,
    private readonly random: () => number,
    private readonly onStrike: () => void = () => undefined,
  ) {}

  /** Arms a fault and returns its id. */
  arm(fault: F): string {
    this.#lastId += 1;
    const id = `fault-${this.#lastId}`;
    const endsAt = fault.durationMs === undefined ? Infinity : this.now() + fault.durationMs;
    this.#rules.push({ id, fault, strikes: 0, passed: 0, endsAt });
    return id;
  }

  /** Disarms one fault, or all without an id. Returns how many there were. */
  heal(id?: string): number {
    const before = this.#rules.length;
    const kept = id === undefined ? [] : this.#rules.filter((rule) => rule.id !== id);
    this.#rules.splice(0, before, ...kept);
    return before - kept.length;
  }

  /** What is armed, oldest first. */
  list(): readonly FaultView<F>[] {
    return this.#live().map(({ id, fault, strikes }) => ({ id, fault, strikes }));
  }

  /** The oldest armed fault of a kind that matches and strikes now, counted as a strike. */
  strike<K extends F['kind']>(
    kind: K,
    matches: (fault: Extract<F, { kind: K }>) => boolean = () => true,
  ): Extract<F, { kind: K }> | undefined {
    for (const rule of this.#live()) {
      const { fault } = rule;
      if (!isKind(fault, kind) || !matches(fault)) continue;
      if (rule.passed < (fault.skip ?? 0)) {
        rule.passed += 1;
        continue;
      }
      if (fault.probability !== undefined && this.random() >= fault.probability) continue;
      rule.strikes += 1;
      this.onStrike();
      return fault;
    }
    return undefined;
  }

  #live(): readonly Rule<F>[] {
    const now = this.now();
    return this.#rules.filter(
      ({ fault, strikes, endsAt }) => now < endsAt && strikes < (fault.count ?? Infinity),
    );
  }
}

function isKind<F extends FaultLimits, K extends F['kind']>(
  fault: F,
  kind: K,
): fault is Extract<F, { kind: K }> {
  return fault.kind === kind;
}

/** Random numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
