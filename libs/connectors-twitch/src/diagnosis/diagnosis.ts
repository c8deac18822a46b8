import {
  DIAGNOSIS_LIMIT_MS,
  type DiagnosisRow,
  fault,
  type Finding,
  ok,
  runCheck,
  toFault,
  warning,
} from '@bitbrat/connectors-core';
import { type Clock, isoTime, type Logger } from '@bitbrat/foundation';
import { JOIN_LIMIT } from '../session/channel-joiner.js';
import { ChatEar } from './chat-ear.js';
import { type ChatLine } from '../platform/chat-line.js';
import { ClientSession } from '../session/client-session.js';
import { type TwitchConfig } from '../config.js';
import { SlidingWindow } from '../session/rate-limit.js';
import { saysEnded, TwitchTokenProvider } from '../session/token-provider.js';

/** Milliseconds for the chat; a little less than its check gets, so that what was heard until then is told. */
const CHAT_LIMIT_MS = DIAGNOSIS_LIMIT_MS - 1_000;

/** A token that nobody can refresh and that ends so soon, in milliseconds, is told of: Twitch's user tokens live for about four hours. */
const ENDS_SOON_MS = 60 * 60_000;

interface Services {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * As `Diagnosable.diagnose`: token, login and channels.
 *
 * An access token of the configuration is validated and never refreshed. The bot is in the channels for a moment, on a connection of its own,
 * because only a JOIN tells whether it is let in.
 */
export async function* diagnoseTwitch(
  config: TwitchConfig,
  { clock, logger }: Services,
  signal: AbortSignal,
): AsyncGenerator<DiagnosisRow> {
  let token: string | undefined;
  const check = config.accessToken === undefined ? 'refresh token' : 'access token';
  yield await runCheck({ check, clock, signal }, async (limit) => {
    const provider = new TwitchTokenProvider(config, clock, logger);
    const good = await (config.accessToken === undefined
      ? refreshed(provider, limit)
      : validated(provider, config.accessToken, limit));
    if (typeof good !== 'string') return good;
    token = good;
    return judgeLife(provider, clock.now());
  });
  if (token === undefined) return;

  const ear = new ChatEar();
  const channels = config.channels.slice(0, JOIN_LIMIT.count);
  yield { check: 'chat', ...(await listen({ ...config, channels }, token, ear, { clock, logger, signal })) };
  if (!ear.isLoggedIn || signal.aborted) return;
  for (const channel of channels) yield { check: `#${channel}`, ...ear.judge(channel) };
  const untried = config.channels.length - channels.length;
  if (untried > 0) {
    const cure = 'none is needed: the connector joins them one after the other';
    yield { check: 'channels', ...warning(`${untried} more were not tried, to keep Twitch's limit`, cure) };
  }
}

async function refreshed(provider: TwitchTokenProvider, signal: AbortSignal): Promise<string> {
  const token = await provider.refresh(signal);
  await provider.validate(token, signal);
  return token;
}

async function validated(
  provider: TwitchTokenProvider,
  token: string,
  signal: AbortSignal,
): Promise<string | Finding> {
  try {
    await provider.validate(token, signal);
    return token;
  } catch (reason) {
    const { cure = '', found } = toFault(reason);
    const hasEnded = saysEnded(reason);
    if (!hasEnded) return fault(found, cure);
    if (!provider.canRefresh) return fault(found, `set a new TWITCH_ACCESS_TOKEN; ${cure}`);
    return warning(
      `${found}; the connector replaces it at its start`,
      'leave out TWITCH_ACCESS_TOKEN: the connector has TWITCH_REFRESH_TOKEN; run this again to try that',
    );
  }
}

function judgeLife({ canRefresh, expiresAt }: TwitchTokenProvider, now: number): Finding {
  if (expiresAt === undefined) return ok('is good; it does not end');
  const found = `is good until ${isoTime(expiresAt)}`;
  if (canRefresh) return ok(`${found}, and can be refreshed`);
  const cure = 'set TWITCH_CLIENT_ID, TWITCH_CLIENT_SECRET and TWITCH_REFRESH_TOKEN, so that it is refreshed';
  const inFull = `${found}; afterwards the connector stops`;
  return expiresAt - now < ENDS_SOON_MS ? fault(inFull, cure) : warning(inFull, cure);
}

/** Logs in and joins; the connection is closed again when it is known which channels let the bot in. */
async function listen(
  { botUsername, channels, ircUrl, watchdogSeconds }: TwitchConfig,
  token: string,
  ear: ChatEar,
  { clock, logger, signal }: Services & { readonly signal: AbortSignal },
): Promise<Finding> {
  const limit = new AbortController();
  const cancel = clock.setTimeout(() => {
    limit.abort();
  }, CHAT_LIMIT_MS);
  const options = {
    url: ircUrl,
    login: botUsername,
    token,
    channels,
    joins: new SlidingWindow(JOIN_LIMIT.windowMs, clock),
    watchdogMs: watchdogSeconds * 1_000,
    clock,
    logger,
    onRefused: ignore,
  };
  const onLine = (line: ChatLine): void => {
    ear.hear(line);
  };
  const events = { onLine, onJoined: ignore, onLeaving: ignore, onLost: ignore };
  try {
    const session = await ClientSession.open(options, events, AbortSignal.any([signal, limit.signal]));
    await session.close();
  } catch (reason) {
    // Channels that are refused, or do not answer in time, end it too: of these the ear knows more.
    if (!ear.isLoggedIn) return limit.signal.aborted ? NO_LOGIN : toFault(reason);
  } finally {
    cancel();
  }
  return ok(`logs in as ${botUsername}`);
}

const NO_LOGIN = fault(
  `TIMEOUT: no login within ${CHAT_LIMIT_MS / 1_000} seconds`,
  'check the network and the firewall',
);

function ignore(): void {
  // Nothing is to be done: the session is closed again.
}
