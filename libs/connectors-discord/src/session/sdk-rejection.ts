/** Names of error classes that only discord.js has; a bundler may put a number behind them. */
const ERROR_CLASS =
  /^(?:DiscordAPIError|DiscordjsError|DiscordjsTypeError|DiscordjsRangeError|RateLimitError)\d*$/;

/** Packages of the SDK, as file names of a stack show them, and classes of it, as a bundle's stack still does. */
const STACK =
  /[\\/](?:@discordjs[\\/][\w-]+|discord\.js)[\\/]|\b(?:[A-Z]\w+Action|BurstHandler|SequentialHandler|SimpleIdentifyThrottler|SimpleShardingStrategy|WebSocketManager|WebSocketShard)\d*\./;

/**
 * Whether an unhandled rejection was left by discord.js.
 *
 * Its gateway code floats promises: whatever is thrown while an event is handled becomes such a rejection; by default Node ends the
 * process then.
 */
export function isDiscordSdkRejection(reason: unknown): boolean {
  if (typeof reason !== 'object' || reason === null) return false;
  for (let type: unknown = Object.getPrototypeOf(reason); type !== null; type = Object.getPrototypeOf(type)) {
    const name: unknown = Reflect.get(Reflect.get(type as object, 'constructor') as object, 'name'); // prototypes are objects that have a constructor
    if (typeof name === 'string' && ERROR_CLASS.test(name)) return true;
  }
  const stack: unknown = Reflect.get(reason, 'stack');
  return typeof stack === 'string' && STACK.test(stack);
}
