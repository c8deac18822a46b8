import { busSettings, type HouseBus } from './house-plan.js';

/** What runs where, as far as a person must know it. */
export interface RunningHouse {
  readonly serviceUrl: string;
  readonly sandboxUrl: string;
  /** Where `npm run chat` finds the sandbox by itself. */
  readonly isDefaultSandbox: boolean;
  readonly bus: HouseBus;
  /** `host:port` of the local bus. */
  readonly busAddress: string | undefined;
  readonly hasEcho: boolean;
  /** What a person should know besides, one line each. */
  readonly notes: readonly string[];
  readonly seconds: number;
}

/** The page that ends the start: what runs where, and three ways to go on. Its commands work as they stand. Pure. */
export function welcome(house: RunningHouse): string {
  const { hasEcho, isDefaultSandbox, notes, sandboxUrl, seconds, serviceUrl } = house;
  const url = isDefaultSandbox ? '' : ` --url ${sandboxUrl}`;
  return [
    `BitBrat ingress-egress runs, with no account anywhere (${seconds.toFixed(1)} s):`,
    '',
    `  service   ${serviceUrl}   /readyz /healthz /_debug/twilio /_debug/twitch /_debug/discord`,
    `  sandbox   ${sandboxUrl}   stands in for Twilio, Twitch and Discord`,
    `  bus       ${describeBus(house)}`,
    `  bot       ${hasEcho ? 'echo; npm start -- --no-echo leaves it out' : 'none yet: messages wait for one (way 2 or 3)'}`,
    ...notes.map((note) => `  note      ${note}`),
    '',
    'Go on in a second terminal:',
    '',
    '  1. Write a message as a person, and see the answer',
    ...['sms', 'twitch', 'discord'].map((platform) => `       npm run chat -- ${platform}${url}`),
    `       npm run sms -- --from +15550100${url} "hello"`,
    `       curl -s ${sandboxUrl}/twilio/messages -H 'content-type: application/json' -d '{"from":"+15550100","body":"hello"}'`,
    '',
    ...botWays(house),
    '',
    'Each message is shown here as it passes. Ctrl-C stops all.',
    '',
  ].join('\n');
}

function describeBus({ bus, busAddress }: RunningHouse): string {
  switch (bus.kind) {
    case 'local':
      return `${busAddress ?? ''}   the local bus: Pub/Sub's API, in memory; bots in any language join it`;
    case 'memory':
      return 'in the memory of the service: no bot can join (unset MESSAGE_BUS_DRIVER for the local bus)';
    case 'emulator':
      return `${bus.host}   an emulator of Pub/Sub, project ${bus.projectId}`;
    case 'google-cloud':
      return `Google Cloud Pub/Sub, project ${bus.projectId}`;
    default:
      return bus satisfies never;
  }
}

function botWays({ bus, busAddress }: RunningHouse): string[] {
  const settings = busSettings(bus, busAddress);
  const line = Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
  return [
    '  2. Run the Python bot',
    // On Google Cloud it needs an access token, which its page describes.
    `       ${settings['PUBSUB_EMULATOR_HOST'] === undefined ? 'as docs/writing-a-bot.md says' : `${line} python3 docs/examples/echo_bot.py`}`,
    '',
    '  3. Make a bot of your own: docs/writing-a-bot.md',
    ...(line === '' ? [] : [`       its settings: ${line}`]),
  ];
}
