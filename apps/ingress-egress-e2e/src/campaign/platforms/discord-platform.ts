import { type DiscordFaultInput, type Sandbox } from '@bitbrat/sandbox';
import { type CampaignPlatform, type Standing, type Written } from '../campaign-platform.js';
import { type Fault } from '../fault.js';
import { STATUS_FAULT } from '../faults/status-refusals.js';
import { ERROR_STATUSES, faultRowsOf } from './fault-row.js';

type DiscordSandbox = Sandbox['discord'];

const CHANNELS = ['general', 'support', 'news', 'random'].map((name, i) => ({
  id: `10000000000000010${String(i).padStart(2, '0')}`,
  name,
}));

/** How the local Discord is set up for the campaign. */
export const DISCORD_OPTIONS = { channels: CHANNELS, heartbeatIntervalMs: 5_000 } as const;

/** A heartbeat every five seconds, and the next one shows that it was not answered. */
const DETECTION_MS = 12_000;

/** Every fifth person writes to the bot directly. */
const DIRECT_EVERY = 5;

/**
 * Channels, threads and direct messages; the platform keeps the history. Newcomers open a thread of their
 * own.
 */
export class DiscordPlatform implements CampaignPlatform {
  readonly name = 'discord';
  readonly load = {
    people: 10,
    newcomers: 0.03,
    weight: 3,
    answered: 0.5,
    unasked: 0.3,
    sendLimit: 3,
    attachments: 0.06,
    longWords: 600,
  };
  readonly promise = { inbound: 'complete', outbound: 'once' } as const;
  readonly faults: readonly Fault[];
  readonly #channels = new Map<number, string>();

  /** @param mediaHost where attachments are fetched that misbehave */
  constructor(
    private readonly sandbox: DiscordSandbox,
    private readonly mediaHost: string,
  ) {
    this.faults = discordFaults(sandbox);
  }

  environment(): Record<string, string> {
    return {
      ...this.sandbox.environment(),
      DISCORD_SESSION_FLOOR: '0',
      DISCORD_ATTACHMENT_HOSTS: this.mediaHost,
    };
  }

  write(person: number, text: string): Promise<Written> {
    const author = `person-${person}`;
    const place = this.#placeOf(person);
    const { channelId, id } = this.sandbox.receiveMessage({ author, content: text, ...place });
    this.#channels.set(person, channelId);
    return Promise.resolve({ id: `discord:${id}`, channel: channelId });
  }

  destination(person: number): string {
    const channel = this.#channels.get(person);
    if (channel === undefined) throw new Error(`person ${person} has not written on Discord yet`);
    return channel;
  }

  deletions(): readonly [] {
    return [];
  }

  standing(): ReadonlyMap<string, readonly Standing[]> {
    return new Map(
      this.sandbox.channels().map(({ id }) => {
        const own = this.sandbox.messages(id).filter(({ fromBot }) => fromBot);
        return [
          id,
          own.map((message) => ({
            id: message.id,
            text: message.content,
            wallTime: Date.parse(message.timestamp),
          })),
        ];
      }),
    );
  }

  slowSends(delayMs: number): () => void {
    const { id } = this.sandbox.injectFault({ kind: 'request', operation: 'createMessage', delayMs });
    return () => {
      if (id !== null) this.sandbox.heal(id);
    };
  }

  heal(): void {
    this.sandbox.heal();
  }

  #placeOf(person: number): { channelId: string } | { dm: true } {
    const known = this.#channels.get(person);
    const channel = CHANNELS[person % CHANNELS.length];
    if (channel === undefined) throw new Error('there is no channel');
    if (person >= this.load.people) {
      const thread = (): string =>
        this.sandbox.createChannel({ name: `thread of ${person}`, parentId: channel.id }).id;
      return { channelId: known ?? thread() };
    }
    return person % DIRECT_EVERY === DIRECT_EVERY - 1 ? { dm: true } : { channelId: channel.id };
  }
}

function discordFaults(sandbox: DiscordSandbox): readonly Fault[] {
  const row = faultRowsOf<DiscordFaultInput>('discord', sandbox);
  const send = { kind: 'request', operation: 'createMessage' } as const;
  const drop = (): void => void sandbox.injectFault({ kind: 'drop' });
  const forms = ['headers', 'retry-after', 'body', 'bare'] as const;
  return [
    row('drop', 3, [0, 0], (pick) => ({
      kind: 'drop',
      how: pick(['reset', 'close']),
      closeCode: pick([1001, 4000, 4009]),
    })),
    row('reconnect', 1, [0, 0], () => ({ kind: 'reconnect' })),
    row('session-invalid', 2, [0, 0], (pick) => ({
      kind: 'invalid-session',
      resumable: pick([true, false]),
    })),
    row('session-lost', 2, [0, 0], () => ({ kind: 'lose-sessions' })),
    row('half-open', 2, [0, 0], () => ({ kind: 'half-open' }), { detectionMs: DETECTION_MS }),
    row('refuse-gateway', 2, [2_000, 12_000], (pick) => {
      drop();
      return { kind: 'refuse-connections', how: pick(['reset', 'http', 'silence']) };
    }),
    row('refuse-rest', 2, [2_000, 10_000], (pick) => ({
      kind: 'refuse-connections',
      target: 'rest',
      how: pick(['reset', 'http', 'silence']),
    })),
    row('refuse-all', 1, [2_000, 10_000], (pick) => {
      drop();
      return { kind: 'refuse-connections', target: 'both', how: pick(['reset', 'http']) };
    }),
    row('no-hello', 1, [2_000, 8_000], () => {
      drop();
      return { kind: 'no-hello' };
    }),
    row('no-heartbeat-ack', 1, [4_000, 12_000], () => ({ kind: 'no-heartbeat-ack' }), {
      detectionMs: DETECTION_MS,
    }),
    row('session-refused', 2, [1_000, 6_000], (pick) => {
      drop();
      const on = pick(['identify', 'resume', 'both'] as const);
      return { kind: 'refuse-session', on, how: pick(['close', 'invalid-session'] as const) };
    }),
    row('slow', 2, [2_000, 10_000], (pick) => ({
      kind: 'request',
      delayMs: pick([300, 1_500, 6_000]),
      probability: 0.5,
    })),
    row('failing', 2, [2_000, 10_000], (pick) => ({
      kind: 'request',
      status: pick([500, 502, 503]),
      probability: 0.6,
    })),
    row('too-many', 2, [2_000, 8_000], (pick) => ({
      kind: 'request',
      status: 429,
      rateLimit: pick(forms),
      scope: pick(['user', 'shared', 'global']),
      retryAfterMs: pick([300, 1_500]),
      probability: 0.5,
    })),
    row(STATUS_FAULT, 3, [1_000, 6_000], (pick) => {
      const status = pick(ERROR_STATUSES);
      if (pick([true, false])) drop();
      if (pick([true, false, false])) return { kind: 'refuse-connections', how: 'http', status };
      return { kind: 'request', status, probability: 0.4 };
    }),
    row('answer-lost', 4, [1_000, 5_000], (pick) => ({
      ...send,
      loseAnswer: pick(['drop', 'silence']),
      probability: 0.7,
    })),
  ];
}
