import { type Sandbox, type SandboxOptions } from '@bitbrat/sandbox';
import { type CampaignPlatform } from './campaign-platform.js';
import { DISCORD_OPTIONS, DiscordPlatform } from './platforms/discord-platform.js';
import { TwilioPlatform } from './platforms/twilio-platform.js';
import { TWITCH_OPTIONS, TwitchPlatform } from './platforms/twitch-platform.js';

/** How the sandbox is set up. @param serviceUrl where the service listens */
export function sandboxOptions(seed: number, serviceUrl: string): SandboxOptions {
  return {
    twilio: { seed, webhookUrl: `${serviceUrl}/webhooks/twilio` },
    discord: { seed, ...DISCORD_OPTIONS },
    twitch: { seed, ...TWITCH_OPTIONS },
  };
}

/** At 5 messages a second over all platforms Twilio's client is replaced about once a minute, and at more as often. */
const REPLACE_AFTER_SECONDS = 20;

/**
 * The named platforms of a sandbox.
 * @param serviceUrl where the service listens
 * @param rate messages that people write a second, over all platforms
 */
export function createPlatforms(
  names: readonly string[],
  sandbox: Sandbox,
  serviceUrl: string,
  rate: number,
): readonly CampaignPlatform[] {
  const replaceAfter = Math.ceil(Math.max(5, rate) * REPLACE_AFTER_SECONDS);
  const all: readonly CampaignPlatform[] = [
    new TwilioPlatform(sandbox.twilio, `${serviceUrl}/webhooks/twilio`, replaceAfter),
    new DiscordPlatform(sandbox.discord),
    new TwitchPlatform(sandbox.twitch),
  ];
  return all.filter(({ name }) => names.includes(name));
}
