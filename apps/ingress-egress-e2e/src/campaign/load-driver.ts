import { type BusWatch } from './bus-watch.js';
import { type CampaignPlatform } from './campaign-platform.js';
import { type WrittenFact } from './facts.js';
import { type Journal } from './journal.js';
import { type SendStep, type WriteStep } from './plan.js';
import { personText, wordsOf } from './words.js';

/** Lets people write and bots send, as the plan says. */
export class LoadDriver {
  readonly written: WrittenFact[] = [];
  readonly #platforms: ReadonlyMap<string, CampaignPlatform>;
  readonly #tails = new Map<string, Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(
    platforms: readonly CampaignPlatform[],
    private readonly watch: BusWatch,
    private readonly journal: Journal,
  ) {
    this.#platforms = new Map(platforms.map((platform) => [platform.name, platform]));
  }

  /** Somebody writes, after what they have written before. Resolves when the platform has it. */
  write({ length, person, platform: name, token }: WriteStep): Promise<void> {
    const key = `${name} ${person}`;
    const before = this.#tails.get(key) ?? Promise.resolve();
    const work = before.then(async () => {
      const platform = this.#platform(name);
      const wallTime = Date.now();
      const { channel, id } = await platform.write(person, personText(token, length));
      this.written.push({ platform: name, channel, id, token, wallTime });
      this.journal.note(`person ${person} wrote it in ${channel}`, id, token);
    });
    this.#tails.set(key, work);
    return work;
  }

  /** A bot sends an event, perhaps twice. */
  send({ person, platform: name, repeatAfterMs, token, words }: SendStep): void {
    const target = { connector: name, destination: this.#platform(name).destination(person) };
    const event = { id: `campaign:${token}`, target, text: wordsOf(token, words) };
    this.watch.send(name, event, { token, words });
    if (repeatAfterMs === undefined) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.journal.note('the bot publishes the event once more', event.id, token);
      this.watch.send(name, event, { token, words });
    }, repeatAfterMs);
    this.#timers.add(timer);
  }

  /** Resolves when everybody has written what they began. Repetitions that are due later are left out. */
  async end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#tails.values());
  }

  #platform(name: string): CampaignPlatform {
    const platform = this.#platforms.get(name);
    if (platform === undefined) throw new Error(`the campaign does not drive ${name}`);
    return platform;
  }
}
