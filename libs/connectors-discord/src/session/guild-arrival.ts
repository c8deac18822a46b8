import { type Clock, Timers } from '@bitbrat/foundation';

/** Milliseconds that guilds get to arrive after READY. One that Discord cannot show now does not hold up the others. */
const GUILDS_TIMEOUT_MS = 10_000;

/** Why a guild is not there: Discord has an outage of it, or the bot is no member of it. */
export type GuildAbsence = 'outage' | 'no-member';

export interface GuildArrivalOptions {
  /** Of the configuration. */
  readonly guildIds: readonly string[];
  readonly clock: Clock;
  /** All guilds are there, or reported as missing. */
  readonly onSettled: () => void;
  readonly onMissing: (guildId: string, absence: GuildAbsence) => void;
  /** The guild is there. */
  readonly onArrived: (guildId: string) => void;
}

/** Knows which guilds of the configuration are there, which are on their way and which are missing. */
export class GuildArrival {
  /** On their way. */
  readonly #awaited = new Set<string>();
  readonly #missing = new Set<string>();
  readonly #timers: Timers<'limit'>;

  constructor(private readonly options: GuildArrivalOptions) {
    this.#timers = new Timers(options.clock);
  }

  /** Guilds that are not there, for whatever reason. */
  get absent(): readonly string[] {
    return this.options.guildIds.filter((id) => this.#awaited.has(id) || this.#missing.has(id));
  }

  /** READY: the guilds that it lists follow. */
  begin(listed: readonly string[]): void {
    this.stop();
    this.#awaited.clear();
    this.#missing.clear();
    for (const id of this.options.guildIds) {
      if (listed.includes(id)) this.#awaited.add(id);
      else this.gone(id, 'no-member');
    }
    this.resume();
  }

  /** The session is there: what has not come yet gets its time. */
  resume(): void {
    if (this.#awaited.size === 0) {
      this.#settle();
      return;
    }
    this.#timers.set('limit', GUILDS_TIMEOUT_MS, () => {
      for (const id of [...this.#awaited]) this.gone(id, 'outage');
      this.#settle();
    });
  }

  arrived(guildId: string): void {
    if (!this.options.guildIds.includes(guildId)) return;
    this.#awaited.delete(guildId);
    this.#missing.delete(guildId);
    this.options.onArrived(guildId);
    this.#settleIfDone();
  }

  gone(guildId: string, absence: GuildAbsence): void {
    if (!this.options.guildIds.includes(guildId)) return;
    this.#awaited.delete(guildId);
    this.#missing.add(guildId);
    this.options.onMissing(guildId, absence);
    this.#settleIfDone();
  }

  /** They are not waited for any more. */
  stop(): void {
    this.#timers.cancelAll();
  }

  #settleIfDone(): void {
    if (this.#timers.has('limit') && this.#awaited.size === 0) this.#settle();
  }

  #settle(): void {
    this.stop();
    this.options.onSettled();
  }
}
