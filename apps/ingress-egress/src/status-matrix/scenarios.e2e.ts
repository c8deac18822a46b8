import { type Sandbox, twitchDefaults } from '@bitbrat/sandbox';

/** What a connector is made to do while a request of it is answered wrongly. */
export const PHASES = ['start', 'receive', 'send', 'reconnect', 'renewal', 'catch-up', 'newcomer'] as const;

export type Phase = (typeof PHASES)[number];

/** One platform of the sandbox, and what can be caused there. */
export interface Scenario {
  readonly name: 'twilio' | 'twitch' | 'discord';
  readonly phases: readonly Phase[];
  /** Whether what is written while the connector is away is published later. */
  readonly keepsHistory: boolean;
  /** Settings besides those of the sandbox. */
  readonly extra: Readonly<Record<string, string>>;
  /** Where a person and the bot talk. */
  place(sandbox: Sandbox): string;
  write(sandbox: Sandbox, place: string, text: string): unknown;
  /** Texts of the bot, oldest first. */
  sent(sandbox: Sandbox, place: string): readonly (string | null)[];
  /** The connection is lost; the platform can be reached again at once. */
  drop(sandbox: Sandbox): void;
  /** The credentials of the connection have to be renewed. */
  renew?(sandbox: Sandbox): void;
  /** A person who has never written before writes. */
  newcomer?(sandbox: Sandbox, text: string, count: number): unknown;
}

const twilio: Scenario = {
  name: 'twilio',
  phases: ['start', 'receive', 'send', 'reconnect', 'renewal', 'catch-up', 'newcomer'],
  keepsHistory: true,
  extra: { TWILIO_SWEEP_SECONDS: '5' },
  place: ({ twilio }) => {
    const { TWILIO_IDENTITY: identity = '' } = twilio.environment();
    return twilio.createConversation({ participants: [{ address: '+15550100' }, { identity }] }).sid;
  },
  write: ({ twilio }, _place, body) => twilio.receiveMessage({ from: '+15550100', body }),
  sent: ({ twilio }, place) =>
    twilio
      .messages(place)
      .filter(({ author }) => author === twilio.environment()['TWILIO_IDENTITY'])
      .map(({ body }) => body),
  drop: ({ twilio }) => {
    twilio.injectFault({ kind: 'drop' });
  },
  renew: ({ twilio }) => {
    twilio.injectFault({ kind: 'token-about-to-expire' });
  },
  newcomer: ({ twilio }, body, count) =>
    twilio.receiveMessage({ from: `+1555${String(2_000_000 + count)}`, body }),
};

/** The bot's own channel. */
export const TWITCH_CHANNEL = twitchDefaults.botLogin;

const twitch: Scenario = {
  name: 'twitch',
  phases: ['start', 'receive', 'send', 'reconnect', 'renewal'],
  keepsHistory: false,
  extra: {},
  // A broadcaster may write five times as much as others.
  place: () => TWITCH_CHANNEL,
  write: ({ twitch }, channel, text) => twitch.receiveMessage({ channel, login: 'alice', text }),
  sent: ({ twitch }, channel) =>
    twitch
      .messages(channel)
      .filter(({ via }) => via === 'irc')
      .map(({ text }) => text),
  drop: ({ twitch }) => {
    twitch.injectFault({ kind: 'drop' });
  },
  // Open connections keep an expired token; the next login does not.
  renew: ({ twitch }) => {
    twitch.injectFault({ kind: 'expire-tokens' });
    twitch.injectFault({ kind: 'drop' });
  },
};

const discord: Scenario = {
  name: 'discord',
  phases: ['start', 'receive', 'send', 'reconnect', 'catch-up'],
  keepsHistory: true,
  extra: {},
  place: ({ discord }) => discord.channels()[0]?.id ?? '',
  write: ({ discord }, channelId, content) => discord.receiveMessage({ channelId, author: 'ada', content }),
  sent: ({ discord }, channelId) =>
    discord
      .messages(channelId)
      .filter(({ fromBot }) => fromBot)
      .map(({ content }) => content),
  drop: ({ discord }) => {
    discord.injectFault({ kind: 'lose-sessions' });
  },
};

export const SCENARIOS: readonly Scenario[] = [twilio, twitch, discord];
