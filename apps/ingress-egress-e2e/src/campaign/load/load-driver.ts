import { type BusWatch } from './bus-watch.js';
import { type CampaignPlatform } from '../campaign-platform.js';
import { type WrittenFact } from '../facts.js';
import { type AttachmentKind } from './hostile-media.js';
import { type Journal } from '../journal.js';
import { type SendStep, type WriteStep } from '../plan.js';
import { type Random } from '../random.js';
import { personText, wordsOf } from './words.js';

/** Numbers of the tokens that no plan has. */
const TOKENS_OF_BURSTS = 5_000_000_000_000;
/** Milliseconds after which the copy of an event follows that has no ordering key. */
const COPY_AFTER_MS = 150;

/** Much at once. */
export interface Burst {
  readonly count: number;
  /** Each event comes twice, with no ordering key. */
  readonly isPaired: boolean;
  /** Undefined: any of them. */
  readonly platform: string | undefined;
  readonly platforms: readonly string[];
  readonly random: Random;
}

/** Lets people write and bots send, as the plan says. */
export class LoadDriver {
  readonly written: WrittenFact[] = [];
  readonly #platforms: ReadonlyMap<string, CampaignPlatform>;
  readonly #tails = new Map<string, Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #burstTokens = 0;

  constructor(
    platforms: readonly CampaignPlatform[],
    private readonly watch: BusWatch,
    private readonly journal: Journal,
    private readonly media: { urlOf(kind: AttachmentKind): string },
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
  send({
    attachment,
    copy,
    expiresInMs,
    isOrdered,
    person,
    platform: name,
    repeatAfterMs,
    token,
    words,
  }: SendStep): void {
    const target = { connector: name, destination: this.#platform(name).destination(person) };
    const event = {
      id: copy === 0 ? `campaign:${token}` : `campaign:${token}:${copy}`,
      target,
      text: wordsOf(token, words),
      ...(attachment === undefined ? {} : { attachments: [{ url: this.media.urlOf(attachment) }] }),
    };
    const fact = { token, words, expiresInMs, isOrdered, isUnsendable: attachment !== undefined };
    this.watch.send(name, event, fact);
    if (repeatAfterMs !== undefined) {
      this.#later(repeatAfterMs, () => {
        this.journal.note('the bot publishes the event once more', event.id, token);
        this.watch.send(name, event, fact);
      });
    }
  }

  /** A bot sends much at once. */
  burst({ count, isPaired, platform, platforms, random }: Burst): void {
    for (let i = 0; i < count; i += 1) {
      this.#burstTokens += 1;
      const name = platform ?? random.pick(platforms);
      this.send({
        kind: 'send',
        at: 0,
        platform: name,
        person: isPaired ? random.int(0, 8) : i % 2,
        token: `e${TOKENS_OF_BURSTS + this.#burstTokens}`,
        copy: 0,
        words: random.int(1, 8),
        isOrdered: !isPaired,
        expiresInMs: undefined,
        attachment: undefined,
        repeatAfterMs: isPaired ? COPY_AFTER_MS : undefined,
      });
    }
  }

  /** Resolves when everybody has written what they began. Repetitions that are due later are left out. */
  async end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#tails.values());
  }

  #later(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    this.#timers.add(timer);
  }

  #platform(name: string): CampaignPlatform {
    const platform = this.#platforms.get(name);
    if (platform === undefined) throw new Error(`the campaign does not drive ${name}`);
    return platform;
  }
}
