import { type ConnectorFactory } from '@bitbrat/connectors-core';
import { type TwilioConfig } from './config.js';
import { TwilioConnectorAdapter } from './connector-adapter.js';

export { type TwilioConfig, twilioConfigSchema, type TwilioSettings } from './config.js';
export { isTwilioSdkRejection } from './session/sdk-rejection.js';

/**
 * The Twilio connector: a function of its config and its host. Twilio's SDKs are loaded when it starts.
 * @param random in [0, 1); for the jitter of back-offs
 */
export function createTwilioConnector(
  config: TwilioConfig,
  random: () => number = Math.random,
): ConnectorFactory {
  return (host) => new TwilioConnectorAdapter(config, host, random);
}
