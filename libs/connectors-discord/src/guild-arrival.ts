import { type Clock, type Logger, Timers } from '@bitbrat/connectors-core';

/** Milliseconds that guilds get to arrive after READY. One that Discord cannot show now does not hold up the others. */
const GUILDS_TIMEOUT_MS = 10_000;

export interface GuildArrivalOptions {
  /** Of the configuration. */
  readonly guildIds: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** All guilds are there, or have had their time. */
  readonly onSettled: () => void;
}

/** Knows which guilds Discord has yet to show. */
export class GuildArrival {
  #awaited: Set<string>;
  readonly #timers: Timers<'limit'>;

  constructor(private readonly options: GuildArrivalOptions) {
    this.#awaited = new Set(options.guildIds);
    this.#timers = new Timers(options.clock);
  }

  get awaited(): readonly string[] {
    return [...this.#awaited];
  }

  /** READY: all of them follow. */
  begin(): void {
    this.#awaited = new Set(this.options.guildIds);
    this.#timers.set('limit', GUILDS_TIMEOUT_MS, () => {
      this.options.logger.warn('discord.guilds-unavailable', { guilds: this.awaited });
      this.options.onSettled();
    });
  }

  arrived(guildId: string): void {
    this.#awaited.delete(guildId);
    if (this.#awaited.size > 0) return;
    this.stop();
    this.options.onSettled();
  }

  gone(guildId: string): void {
    this.#awaited.add(guildId);
  }

  /** They are not waited for any more. */
  stop(): void {
    this.#timers.cancelAll();
  }
}
