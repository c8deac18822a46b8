import { type Sandbox, type TwitchFaultInput } from '@bitbrat/sandbox';
import { type CampaignPlatform, type Standing, type Written } from '../campaign-platform.js';
import { type Fault } from '../fault.js';
import { STATUS_FAULT } from '../faults/status-refusals.js';
import { ERROR_STATUSES, faultRowsOf } from './fault-row.js';

type TwitchSandbox = Sandbox['twitch'];

/** The watchdog asks every five seconds and waits ten for the answer. */
const DETECTION_MS = 15_000;

const CHANNELS = ['bitbrat', 'second', 'third'];

/** How the local Twitch is set up for the campaign: tokens that live for a minute only. */
export const TWITCH_OPTIONS = { channels: CHANNELS, tokenLifeMs: 60_000 };

/**
 * Chat lines: no history, so what is missing must lie in a reported gap; and no way to ask what became of a
 * line whose answer was lost. The bot is an ordinary user and may write 20 lines in 30 seconds, so little is
 * sent.
 */
export class TwitchPlatform implements CampaignPlatform {
  readonly name = 'twitch';
  readonly load = {
    people: 9,
    newcomers: 0.05,
    weight: 2,
    answered: 0.12,
    unasked: 0.1,
    sendLimit: 0.35,
    attachments: 0,
    longWords: 120,
  };
  readonly promise = { inbound: 'gaps', outbound: 'unknown' } as const;
  readonly faults: readonly Fault[];

  constructor(private readonly sandbox: TwitchSandbox) {
    this.faults = twitchFaults(sandbox);
  }

  environment(): Record<string, string> {
    return { ...this.sandbox.environment(), TWITCH_WATCHDOG_SECONDS: '5', TWITCH_CONFIRM_SECONDS: '3' };
  }

  write(person: number, text: string): Promise<Written> {
    const channel = this.destination(person);
    const { id } = this.sandbox.receiveMessage({ channel, login: `person_${person}`, text });
    return Promise.resolve({ id: `twitch:${id}`, channel: this.sandbox.channel(channel).roomId });
  }

  destination(person: number): string {
    const channel = CHANNELS[person % CHANNELS.length];
    if (channel === undefined) throw new Error('there is no channel');
    return channel;
  }

  deletions(): readonly [] {
    return [];
  }

  standing(): ReadonlyMap<string, readonly Standing[]> {
    return new Map(
      CHANNELS.map((channel) => {
        const own = this.sandbox.messages(channel).filter(({ via }) => via === 'irc');
        return [channel, own.map(({ id, sentAt, text }) => ({ id, text, wallTime: Date.parse(sentAt) }))];
      }),
    );
  }

  slowSends(delayMs: number): () => void {
    const { id } = this.sandbox.injectFault({ kind: 'delay-ack', delayMs });
    return () => {
      if (id !== null) this.sandbox.heal(id);
    };
  }

  heal(): void {
    this.sandbox.heal();
  }
}

function twitchFaults(sandbox: TwitchSandbox): readonly Fault[] {
  const row = faultRowsOf<TwitchFaultInput>('twitch', sandbox);
  const drop = (): void => void sandbox.injectFault({ kind: 'drop' });
  return [
    row('drop', 3, [0, 0], (pick) => ({ kind: 'drop', how: pick(['reset', 'close']) })),
    row('reconnect', 2, [0, 0], (pick) => ({ kind: 'reconnect', closeAfterMs: pick([200, 2_000]) })),
    row('half-open', 2, [0, 0], () => ({ kind: 'half-open' }), { detectionMs: DETECTION_MS }),
    row('refuse-connections', 2, [1_000, 10_000], (pick) => {
      drop();
      return { kind: 'refuse-connections', how: pick(['reset', 'http', 'silence']) };
    }),
    row(
      'silent',
      1,
      [2_000, 8_000],
      (pick) => {
        drop();
        return { kind: 'silent', openConnections: pick([true, false]) };
      },
      { detectionMs: DETECTION_MS },
    ),
    row('no-pong', 1, [4_000, 10_000], () => ({ kind: 'no-pong' }), { detectionMs: DETECTION_MS }),
    row(STATUS_FAULT, 3, [1_000, 6_000], (pick) => {
      sandbox.injectFault({ kind: 'expire-tokens' });
      const status = pick(ERROR_STATUSES);
      if (pick([true, false])) drop();
      if (pick([true, false, false])) return { kind: 'refuse-connections', how: 'http', status };
      return { kind: 'request', status, probability: 0.6 };
    }),
    row('token-ended', 2, [0, 0], () => ({ kind: 'expire-tokens' })),
    row('token-ended-at-login', 2, [0, 0], () => {
      sandbox.injectFault({ kind: 'expire-tokens' });
      return { kind: 'drop' };
    }),
    row('token-endpoint', 2, [1_000, 8_000], (pick) => {
      sandbox.injectFault({ kind: 'expire-tokens' });
      drop();
      return pick([
        { kind: 'request', status: 500 },
        { kind: 'request', status: 429 },
        { kind: 'request', delayMs: 3_000 },
        { kind: 'request', endpoint: 'token', loseAnswer: true },
      ] as const);
    }),
    row('line-swallowed', 2, [1_000, 5_000], () => ({ kind: 'swallow-message' })),
    row('line-refused', 1, [0, 3_000], () => ({ kind: 'refuse-message', msgId: 'msg_ratelimit', count: 1 })),
    row('answer-lost', 3, [1_000, 4_000], (pick) => ({ kind: 'lose-ack', how: pick(['silence', 'drop']) })),
    row('answer-late', 2, [1_000, 5_000], (pick) => ({
      kind: 'delay-ack',
      delayMs: pick([500, 2_000, 6_000]),
    })),
  ];
}
