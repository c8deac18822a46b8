/**
 * An address of the gateway as the platform names it, checked: the bot's token is sent there.
 *
 * @param isSecure whether only `wss` will do
 * @returns without query and fragment; undefined where it is none
 */
export function toGatewayUrl(url: unknown, isSecure: boolean): string | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  const { host, password, pathname, protocol, username } = new URL(url);
  const isWebSocket = protocol === 'wss:' || (protocol === 'ws:' && !isSecure);
  if (!isWebSocket || host === '' || username !== '' || password !== '') return undefined;
  return `${protocol}//${host}${pathname}`;
}
