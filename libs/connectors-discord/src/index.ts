import { type ConnectorFactory } from '@bitbrat/connectors-core';
import { type DiscordConfig } from './config.js';
import { DiscordConnectorAdapter } from './connector-adapter.js';

export { type DiscordConfig, discordConfigSchema, type DiscordSettings } from './config.js';
export { isDiscordSdkRejection } from './session/sdk-rejection.js';

/**
 * The Discord connector: a function of its config and its host. discord.js is loaded when it starts.
 * @param random in [0, 1); for the jitter of back-offs
 */
export function createDiscordConnector(
  config: DiscordConfig,
  random: () => number = Math.random,
): ConnectorFactory {
  return (host) => new DiscordConnectorAdapter(config, host, random);
}
