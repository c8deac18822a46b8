import { randomBytes } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { ConnectorError } from '@bitbrat/connectors-core';
import { toDiscordError } from '../platform/errors.js';

/**
 * Resolves when the gateway takes a WebSocket connection, which is closed at once. Nothing is sent on it: there is no login.
 * @param url `ws(s)://` as Discord names it
 * @throws ConnectorError
 */
export async function tryUpgrade(url: string, signal: AbortSignal): Promise<void> {
  const target = new URL(url);
  const isSecure = target.protocol === 'wss:';
  target.protocol = isSecure ? 'https:' : 'http:';
  target.search = '?v=10&encoding=json';
  const doing = `connect to ${target.host}`;
  await new Promise<void>((resolve, reject) => {
    const request = (isSecure ? requestHttps : requestHttp)(target, {
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
      },
      signal,
    });
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve();
    });
    request.on('response', (response) => {
      response.destroy();
      const told = `${doing}: the gateway answers ${String(response.statusCode)} instead of a WebSocket`;
      reject(new ConnectorError('UPSTREAM_UNAVAILABLE', told, { hint: 'check the proxy and the firewall' }));
    });
    request.on('error', (error) => {
      reject(toDiscordError(error, doing));
    });
    request.end();
  });
}
