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

/** The named platforms of a sandbox. @param serviceUrl where the service listens */
export function createPlatforms(
  names: readonly string[],
  sandbox: Sandbox,
  serviceUrl: string,
): readonly CampaignPlatform[] {
  const all: readonly CampaignPlatform[] = [
    new TwilioPlatform(sandbox.twilio, `${serviceUrl}/webhooks/twilio`),
    new DiscordPlatform(sandbox.discord),
    new TwitchPlatform(sandbox.twitch),
  ];
  return all.filter(({ name }) => names.includes(name));
}
