/** tmi.js rejects with these strings, which have no stack (`client.js`, `commands.js`). */
const MESSAGES: ReadonlySet<string> = new Set([
  'Cannot disconnect from server. Socket is not opened or connection is already closing.',
  'Cannot send anonymous messages.',
  'Connection closed.',
  'Invalid NICK.',
  'No response from Twitch.',
  'Not connected to server.',
  'Unable to connect.',
]);

/** The package, as file names of a stack show it, and methods of its client, as a bundle's stack still does. */
const STACK =
  /[\\/]tmi\.js[\\/]|\bclient\.(?:_send(?:Command|Message)|_updateEmoteset|_on(?:Open|Close|Error|Message))\b/;

/** Whether an unhandled rejection was left by tmi.js; by default Node ends the process then. */
export function isTwitchSdkRejection(reason: unknown): boolean {
  if (typeof reason === 'string') return MESSAGES.has(reason);
  if (typeof reason !== 'object' || reason === null) return false;
  const stack: unknown = Reflect.get(reason, 'stack');
  return typeof stack === 'string' && STACK.test(stack);
}
