import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../random.js';
import { type Growth, toGrowth } from './growth.js';
import { type Ledger, type LedgerCounts } from './ledger.js';
import { type Sample } from './sample.js';
import { numbered, readNumber } from './soak-bot.js';
import { SoakWorld } from './soak-world.js';

/** What a soak is made of. */
export interface SoakOptions {
  /** Messages that people write. */
  readonly messages: number;
  /** Messages a second; Infinity: as many as the service takes. */
  readonly rate: number;
  readonly seed: number;
  /** Messages after which Twilio's client is replaced: often enough that a client that is kept would show. */
  readonly replaceAfter: number;
  /** The built service's entry. */
  readonly main: string;
  /** Path of `service-probe.mjs`. */
  readonly probe: string;
  /** Where the log goes. */
  readonly directory: string;
  readonly progress: (line: string) => void;
}

/** What a soak has come to. */
export interface SoakReport {
  readonly ok: boolean;
  readonly seconds: number;
  readonly counts: LedgerCounts;
  readonly findings: readonly string[];
  readonly growth: readonly Growth[];
  /** Clients of Twilio's SDK, the first included. */
  readonly clients: number;
  readonly rssMb: { readonly most: number; readonly last: number };
  readonly samples: readonly Sample[];
}

/** Samples at rest, after the first one. */
const MOST_SAMPLES = 40;
const LEAST_BETWEEN_SAMPLES = 500;
/** The most messages that are written and not published; the most answers without an outcome. */
const UNDER_WAY = 500;
const UNSETTLED = 150;
/** Messages between two looks at what the bot has written: fewer than the platforms' stand-ins keep. */
const COLLECT_EVERY = 1_000;
/** Milliseconds at rest before a sample, so that what belongs to the last messages is over. */
const REST_MS = 2_000;
/** Milliseconds for everything under way to arrive. */
const SETTLE_LIMIT_MS = 120_000;
const PROGRESS_MS = 10_000;
const LONGEST_WORDS = 16;

/** Writes and answers until all messages are through, and measures the service at rest now and then. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const world = await SoakWorld.start(options, join(options.directory, 'soak.service.log'));
  try {
    return await new SoakRun(options, world).run();
  } finally {
    await world.close();
  }
}

class SoakRun {
  readonly #random: Random;
  readonly #startedAt = performance.now();
  readonly #samples: Sample[] = [];
  readonly #told = { written: 0, at: 0 };
  #mostRssMb = 0;

  constructor(
    private readonly options: SoakOptions,
    private readonly world: SoakWorld,
  ) {
    this.#random = new Random(options.seed);
  }

  get #ledger(): Ledger {
    return this.world.ledger;
  }

  get #seconds(): number {
    return (performance.now() - this.#startedAt) / 1_000;
  }

  async run(): Promise<SoakReport> {
    const { messages } = this.options;
    const samples = Math.min(MOST_SAMPLES, Math.floor(messages / LEAST_BETWEEN_SAMPLES));
    const progress = setInterval(() => {
      this.#tell();
    }, PROGRESS_MS);
    try {
      await this.#sample();
      for (let i = 1; i <= samples; i += 1) {
        await this.#writeUntil(Math.round((messages * i) / samples));
        if (!(await this.#settle())) break;
        await this.#sample();
        for (const platform of this.world.platforms) platform.renewSome();
      }
      return await this.#report();
    } finally {
      clearInterval(progress);
    }
  }

  async #writeUntil(count: number): Promise<void> {
    const { rate } = this.options;
    const startedAt = performance.now();
    const before = this.#ledger.counts.written;
    for (let written = before; written < count; written += 1) {
      const dueMs = ((written - before) * 1_000) / rate;
      const waitMs = dueMs - (performance.now() - startedAt);
      if (waitMs > 1) await delay(waitMs);
      if (!(await this.world.waitFor(() => this.#hasRoom(), SETTLE_LIMIT_MS))) return;
      await this.#write();
      if (written % COLLECT_EVERY === 0) this.#collect();
    }
  }

  async #write(): Promise<void> {
    const { platforms } = this.world;
    const platform = this.#random.weighted(platforms, ({ weight }) => weight);
    const channel = this.#random.int(0, platform.channels - 1);
    const message = this.#ledger.write(this.world.numberOf(platform, channel));
    const text = numbered('m', message, this.#random.int(0, LONGEST_WORDS));
    const { channelId, id } = await platform.write(channel, text);
    this.#ledger.wrote(message, id);
    this.world.know(platform, channel, channelId);
  }

  #hasRoom(): boolean {
    return this.#ledger.underWay < UNDER_WAY && this.#ledger.unsettled < UNSETTLED;
  }

  /** Enters in the ledger what the bot has written on the platforms. */
  #collect(): void {
    for (const platform of this.world.platforms) {
      for (let channel = 0; channel < platform.channels; channel += 1) {
        for (const text of platform.newAnswers(channel)) {
          this.#ledger.stands(readNumber('a', text), this.world.numberOf(platform, channel));
        }
      }
    }
  }

  /** @returns whether everything has arrived */
  async #settle(): Promise<boolean> {
    const isQuiet = (): boolean => this.#ledger.underWay === 0 && this.#ledger.unsettled === 0;
    const settled = await this.world.waitFor(isQuiet, SETTLE_LIMIT_MS);
    await delay(REST_MS);
    this.#collect();
    return settled;
  }

  async #sample(): Promise<void> {
    const sample = await this.world.sample(this.#ledger.counts.written, Math.round(this.#seconds));
    this.#samples.push(sample);
    this.#tell();
  }

  #tell(): void {
    const { counts } = this.#ledger;
    const seconds = this.#seconds;
    const rate = (counts.written - this.#told.written) / (seconds - this.#told.at);
    Object.assign(this.#told, { written: counts.written, at: seconds });
    const { rssMb } = this.world;
    this.#mostRssMb = Math.max(this.#mostRssMb, rssMb);
    const last = this.#samples.at(-1);
    this.options.progress(
      [
        `${String(Math.round(seconds)).padStart(5)} s`,
        `${counts.written} written ${counts.published} published ${counts.repeats} repeats`,
        `${counts.accepted} answers ${counts.standing} standing`,
        `${Math.round(rate)}/s`,
        `${rssMb} MiB`,
        `heap ${last?.heapMb.toFixed(1) ?? '?'} MiB`,
        `${this.#ledger.findings(false).length + this.world.complaints.length} findings`,
      ].join(' | '),
    );
  }

  async #report(): Promise<SoakReport> {
    const findings = [...this.#ledger.findings(true), ...this.world.complaints];
    const growth = toGrowth(this.#samples);
    return {
      ok: findings.length === 0 && growth.every(({ ok }) => ok),
      seconds: Math.round(this.#seconds),
      counts: this.#ledger.counts,
      findings,
      growth,
      clients: await this.world.twilioClients(),
      rssMb: { most: this.#mostRssMb, last: this.world.rssMb },
      samples: this.#samples,
    };
  }
}
