import { type ConnectorFactory } from '@bitbrat/connectors-core';
import { type TwitchConfig } from './config.js';
import { TwitchConnectorAdapter } from './connector-adapter.js';

export {
  type TwitchConfig,
  twitchConfigSchema,
  type TwitchRefreshSettings,
  type TwitchSettings,
} from './config.js';
export { isTwitchSdkRejection } from './session/sdk-rejection.js';

/** The Twitch connector: a function of its config and its host. tmi.js is loaded when it starts. */
export function createTwitchConnector(config: TwitchConfig): ConnectorFactory {
  return (host) => new TwitchConnectorAdapter(config, host);
}
