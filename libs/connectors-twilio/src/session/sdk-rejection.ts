import { propertyOf } from '../platform/property.js';

/** Names of error classes that only Twilio's SDK has; a bundler may put a number behind them. */
const ERROR_CLASS = /^(?:Twilsock\w*|SyncError|SyncNetworkError|TransportUnavailableError)\d*$/;

/** Packages of the SDK, as file names of a stack show them. */
const PACKAGE = /[\\/](?:@twilio[\\/][\w-]+|twilsock|twilio-sync)[\\/]/;

/** Classes that only the SDK has, by which a bundle's stack shows it. */
const CLASSES =
  'AsyncRetrier|BackoffRetrier|ChannelMetadataClient|CommandExecutor|ContentClient|Conversations|EntitiesCache|InstantQuery|LiveQuery(?:Impl)?|' +
  'MergingQueue|NamespacedMergingQueue|NetworkService|PacketInterface|Participants|RegistrarConnector|Registrations|ReplayEventEmitter|' +
  'RestPaginator|Retrier|SubscribedEntity|Sync\\w+|TelemetryTracker|TokenStorage|Twilsock\\w+|TypingIndicator|WebSocketChannel';

/** A method of one of them; the bundler puts a number behind most names. */
const METHOD = new RegExp(`\\b(?:${CLASSES})\\d*\\.`);

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
  return typeof stack === 'string' && (PACKAGE.test(stack) || METHOD.test(stack));
}

/** What Twilio answers where an object does not exist any more: of Sync, and of the REST API. */
const GONE = new Set<unknown>([54300, 20404]);

/**
 * Whether the rejection is about one object that is gone, e.g. a conversation that was deleted while the SDK loaded it. The
 * connection and every other conversation are not affected.
 */
export function saysObjectGone(reason: unknown): boolean {
  return GONE.has(propertyOf(reason, 'code'));
}
