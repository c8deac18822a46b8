import { propertyOf } from './property.js';

/** Names of error classes that only Twilio's SDK has; a bundler may put a number behind them. */
const ERROR_CLASS = /^(?:Twilsock\w*|SyncError|SyncNetworkError|TransportUnavailableError)\d*$/;

/** Packages of the SDK, as file names of a stack show them, and classes of it, as a bundle's stack still does. */
const STACK =
  /[\\/](?:@twilio[\\/][\w-]+|twilsock|twilio-sync)[\\/]|\b(?:Twilsock(?:Channel|Client)|WebSocketChannel|PacketInterface|SyncClient|SyncNetwork)\b/;

/**
 * Whether an unhandled rejection was left by Twilio's Conversations SDK.
 *
 * Several of its paths do that, e.g. a socket that closes while a token update or the first load of the conversations is under way; by default
 * Node ends the process then.
 */
export function isTwilioSdkRejection(reason: unknown): boolean {
  if (typeof reason !== 'object' || reason === null) return false;
  for (
    let type: unknown = reason;
    typeof type === 'object' && type !== null;
    type = Object.getPrototypeOf(type)
  ) {
    const name = propertyOf(propertyOf(type, 'constructor'), 'name');
    if (typeof name === 'string' && ERROR_CLASS.test(name)) return true;
  }
  const stack = propertyOf(reason, 'stack');
  return typeof stack === 'string' && STACK.test(stack);
}
