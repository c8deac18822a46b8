import { ConnectorError } from '../connector-error.js';

/** The bot has to name another URL: trying again does not help. */
export function refused(reason: string, hint: string): ConnectorError {
  return new ConnectorError('PAYLOAD_INVALID', reason, { hint });
}

/** The file's host is not well. The platform has not been asked yet, so nothing can stand there. */
export function unreachable(reason: string, cause?: unknown): ConnectorError {
  const nativeCode = codeOf(cause);
  return new ConnectorError(
    'UPSTREAM_UNAVAILABLE',
    nativeCode === undefined ? reason : `${reason} (${nativeCode})`,
    {
      ambiguous: false,
      hint: "wait: the attachment's host is not well; or name another URL",
      nativeCode,
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** The code of a system's or a library's error. Anything else may hold what the host wrote. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : undefined;
}
