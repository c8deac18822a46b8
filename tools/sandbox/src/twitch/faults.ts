import { type ArmedFault, type ArmedFaultOf } from './fault-schema.js';

/** An armed fault as the control API shows it. */
export interface TwitchFaultView {
  readonly id: string;
  readonly fault: ArmedFault;
  /** How often it has struck. */
  readonly strikes: number;
}

interface Rule {
  readonly id: string;
  readonly fault: ArmedFault;
  readonly endsAt: number;
  strikes: number;
}

/** The armed faults: which of them strikes when. What a strike means is up to whoever asks. */
export class TwitchFaults {
  #rules: Rule[] = [];
  #lastId = 0;

  /** @param now milliseconds since the epoch. @param random numbers in [0, 1). */
  constructor(
    private readonly now: () => number,
    private readonly random: () => number,
  ) {}

  /** Arms a fault and returns its id. */
  arm(fault: ArmedFault): string {
    this.#lastId += 1;
    const id = `fault-${this.#lastId}`;
    const endsAt = fault.durationMs === undefined ? Infinity : this.now() + fault.durationMs;
    this.#rules.push({ id, fault, endsAt, strikes: 0 });
    return id;
  }

  /** Disarms one fault, or all without an id. Returns how many there were. */
  heal(id?: string): number {
    const before = this.#rules.length;
    this.#rules = id === undefined ? [] : this.#rules.filter((rule) => rule.id !== id);
    return before - this.#rules.length;
  }

  /** What is armed, oldest first. */
  list(): readonly TwitchFaultView[] {
    return this.#live().map(({ id, fault, strikes }) => ({ id, fault, strikes }));
  }

  /** The oldest armed fault of a kind that matches and strikes now, counted as a strike. */
  strike<K extends ArmedFault['kind']>(
    kind: K,
    matches: (fault: ArmedFaultOf<K>) => boolean = () => true,
  ): ArmedFaultOf<K> | undefined {
    for (const rule of this.#live()) {
      const { fault } = rule;
      if (!isKind(fault, kind) || !matches(fault)) continue;
      if (fault.probability !== undefined && this.random() >= fault.probability) continue;
      rule.strikes += 1;
      return fault;
    }
    return undefined;
  }

  #live(): readonly Rule[] {
    const now = this.now();
    return this.#rules.filter(
      ({ fault, strikes, endsAt }) => now < endsAt && strikes < (fault.count ?? Infinity),
    );
  }
}

function isKind<K extends ArmedFault['kind']>(fault: ArmedFault, kind: K): fault is ArmedFaultOf<K> {
  return fault.kind === kind;
}
