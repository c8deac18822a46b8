import { createServer } from 'node:net';
import { fault, type Finding, ok, warning } from '@bitbrat/connectors-core';
import { z } from 'zod';
import { isLoopback } from '../http/debug-access.js';
import { ownUrl } from '../settings/own-url.js';

/** The oldest Node that the service runs on: `engines` of the root package.json. */
export const OLDEST_NODE = '20.19.0';

/** Whether this Node runs the service. Pure. @param version as `process.versions.node` */
export function judgeNode(version: string): Finding {
  const numbers = (text: string): number[] => text.split('.').map((part) => Number.parseInt(part, 10));
  const wanted = numbers(OLDEST_NODE);
  const difference = numbers(version)
    .map((number, index) => number - (wanted[index] ?? 0))
    .find((each) => each !== 0);
  return (difference ?? 0) >= 0
    ? ok(version)
    : fault(`${version} is too old`, `install Node ${OLDEST_NODE} or newer`);
}

/** Who can see `/_debug` and dead letters. Pure. */
export function judgeDebugAccess(host: string, token: string | undefined): Finding {
  if (token !== undefined) return ok('with DEBUG_TOKEN only');
  if (host !== 'localhost' && !isLoopback(host)) return ok('closed: DEBUG_TOKEN is not set');
  return warning(
    'open to every program on this machine, and to the clients of a proxy on it',
    'set DEBUG_TOKEN where a proxy is in front of the service',
  );
}

/** What was found at the service's port. */
export interface PortFinding {
  readonly finding: Finding;
  /** The service itself listens there. */
  readonly isServiceRunning: boolean;
}

/** Whether the service can listen, or does so already. */
export async function checkPort(host: string, port: number, signal: AbortSignal): Promise<PortFinding> {
  const code = await tryListen(host, port);
  const alone = (finding: Finding): PortFinding => ({ finding, isServiceRunning: false });
  switch (code) {
    case undefined:
      return alone(ok(port === 0 ? '0: any free port is taken' : `${port} is free`));
    case 'EADDRINUSE':
      return (await isService(host, port, signal))
        ? { finding: ok(`${port}: the service itself runs there`), isServiceRunning: true }
        : alone(
            fault(`${port} is in use by another program`, 'stop what uses it, or set PORT to another one'),
          );
    case 'EACCES':
      return alone(fault(`${port} is not for ordinary users`, 'set PORT to 1024 or more'));
    default:
      return alone(fault(`cannot listen on ${host}:${port}: ${code}`, 'correct HOST and PORT'));
  }
}

/** The system's error code; undefined where it works. */
function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => {
      resolve('code' in error ? String(error.code) : error.message);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

/** What `/healthz` of the service answers. */
const healthSchema = z.object({ status: z.literal('ok'), connectors: z.record(z.string(), z.unknown()) });

async function isService(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`${ownUrl(host, port)}/healthz`, { signal, redirect: 'error' });
    return healthSchema.safeParse(await response.json()).success;
  } catch {
    return false;
  }
}
