import { type Sandbox, type SandboxOptions } from '@bitbrat/sandbox';
import { type CampaignPlatform } from './campaign-platform.js';
import { DISCORD_OPTIONS, DiscordPlatform } from './platforms/discord-platform.js';
import { TwilioPlatform } from './platforms/twilio-platform.js';
import { TWITCH_OPTIONS, TwitchPlatform } from './platforms/twitch-platform.js';

/** How the sandbox is set up, but for the webhooks, which wait for the service's address. */
export function sandboxOptions(seed: number): SandboxOptions {
  return {
    twilio: { seed },
    discord: { seed, ...DISCORD_OPTIONS },
    twitch: { seed, ...TWITCH_OPTIONS },
  };
}

/**
 * At 5 messages a second over all platforms Twilio's client is replaced about once a minute, and at more as
 * often.
 */
const REPLACE_AFTER_SECONDS = 20;

/** Where a service that listens there takes Twilio's webhooks. */
export function webhookUrl(serviceUrl: string): string {
  return `${serviceUrl}/webhooks/twilio`;
}

/**
 * The named platforms of a sandbox, whose webhooks go to the service from now on.
 * @param serviceUrl where the service listens
 * @param rate messages that people write a second, over all platforms
 * @param mediaHost where attachments are fetched that misbehave
 */
export function createPlatforms(
  names: readonly string[],
  sandbox: Sandbox,
  serviceUrl: string,
  rate: number,
  mediaHost: string,
): readonly CampaignPlatform[] {
  const replaceAfter = Math.ceil(Math.max(5, rate) * REPLACE_AFTER_SECONDS);
  const url = webhookUrl(serviceUrl);
  sandbox.twilio.setWebhookUrl(url);
  const all: readonly CampaignPlatform[] = [
    new TwilioPlatform(sandbox.twilio, url, replaceAfter),
    new DiscordPlatform(sandbox.discord, mediaHost),
    new TwitchPlatform(sandbox.twitch),
  ];
  return all.filter(({ name }) => names.includes(name));
}
