import {
  type ConnectorError,
  type ConnectorErrorCode,
  type DiagnosisRow,
  fault,
  type Finding,
  maskPhoneNumbers,
  ok,
  runCheck,
  toConnectorError,
  toFault,
  warning,
} from '@bitbrat/connectors-core';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { ClientSession } from '../session/client-session.js';
import { type TwilioConfig } from '../config.js';
import { MANY_CONVERSATIONS, MOST_CONVERSATIONS } from '../session/conversation-room.js';
import { type SessionEvents } from '../session/session-contract.js';
import { TwilioTokenProvider } from '../session/token-provider.js';
import { TwilioRest } from '../platform/twilio-rest.js';
import { judgeWebhookAddress, testWebhook } from './webhook-check.js';

/** Milliseconds for the WebSocket: loading 1,000 conversations takes up to 10 seconds. */
const SESSION_LIMIT_MS = 15_000;

/** Milliseconds by which this machine's clock may differ from the platform's before it is worth a word. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Nobody listens to a session that is closed at once. */
const SILENT: SessionEvents = {
  onWake: ignore,
  onPushed: ignore,
  onGone: ignore,
  onJoined: ignore,
  onConnected: ignore,
  onReconnecting: ignore,
  onFailed: ignore,
};

/** As `Diagnosable.diagnose`: token, credentials, service, WebSocket, participation and webhook. */
export async function* diagnoseTwilio(
  config: TwilioConfig,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): AsyncGenerator<DiagnosisRow> {
  const run = (
    check: string,
    work: (signal: AbortSignal) => Promise<Finding>,
    limitMs?: number,
  ): Promise<DiagnosisRow> =>
    runCheck({ check, clock, signal, ...(limitMs === undefined ? {} : { limitMs }) }, work);
  const { accountSid, authToken, conversationsWsUrl: wsUrl, identity, watchdogSeconds } = config;

  const rest = new TwilioRest(config, clock);
  const provider = new TwilioTokenProvider(config, () => rest.time.now());
  yield await run('access token', async () => {
    await rest.time.refresh();
    return judgeClock(rest.time.aheadMs, provider.mint().expiresAt);
  });
  yield await run('API key', (limit) => askForService(rest, config, limit, API_KEY_CURES));
  const account = { ...config, apiKey: accountSid, apiSecret: authToken };
  yield await run('auth token', (limit) =>
    askForService(new TwilioRest(account, clock), account, limit, AUTH_TOKEN_CURES),
  );

  let conversations: number | undefined;
  yield await run(
    'WebSocket',
    async (limit) => {
      const refreshTime = (): Promise<void> => rest.time.refresh();
      const options = { provider, refreshTime, wsUrl, watchdogMs: watchdogSeconds * 1_000, clock, logger };
      const session = await ClientSession.open(options, SILENT, limit);
      conversations = session.conversationCount;
      await session.close();
      return ok(`connects and logs in as ${maskPhoneNumbers(identity)}`);
    },
    SESSION_LIMIT_MS,
  );
  if (conversations !== undefined) yield { check: 'participation', ...judgeParticipation(conversations) };

  yield { check: 'webhook address', ...judgeWebhookAddress(config) };
  const { webhookUrl } = config;
  if (webhookUrl !== undefined) {
    yield await run('webhook', (limit) => testWebhook({ ...config, webhookUrl }, limit));
  }
}

/**
 * Whether the machine's clock agrees with the platform's, by which tokens are dated and the age of messages is judged. Pure.
 * @param aheadMs undefined where it is not known
 * @param expiresAt of a token made now
 */
export function judgeClock(aheadMs: number | undefined, expiresAt: number): Finding {
  const found = `can be made; it lives until ${new Date(expiresAt).toISOString()}`;
  if (aheadMs === undefined || Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) return ok(found);
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  const side = aheadMs > 0 ? 'ahead of' : 'behind';
  return warning(
    `${found}; this machine's clock is ${seconds} s ${side} the platform's`,
    'let the clock be set by a time server; until then tokens and ages follow the platform',
  );
}

/** How full the identity is. Pure. */
export function judgeParticipation(conversations: number): Finding {
  const found = `the bot is in ${conversations} conversation${conversations === 1 ? '' : 's'}`;
  if (conversations < MANY_CONVERSATIONS) return ok(found);
  const cure = "set the service's state timers, so that old conversations close by themselves";
  return warning(`${found}; ${MOST_CONVERSATIONS} are the limit`, cure);
}

type Cures = Partial<Record<ConnectorErrorCode, string>>;

const API_KEY_CURES: Cures = {
  AUTH_FAILED:
    'check TWILIO_API_KEY and TWILIO_API_SECRET; a lost secret is replaced by a new key (Console, API keys)',
  FORBIDDEN: 'give the API key the right to Conversations: a standard key has it',
  TARGET_NOT_FOUND: 'check TWILIO_CHAT_SERVICE_SID: the account of the API key has no such service',
};

const AUTH_TOKEN_CURES: Cures = {
  AUTH_FAILED:
    'check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN; without the right one every webhook is refused with 403',
  TARGET_NOT_FOUND:
    'check TWILIO_ACCOUNT_SID and TWILIO_CHAT_SERVICE_SID: the account has no such service. API key, service and account must belong together',
};

/** Reads one page of the service's conversations, which only the right credentials of the right account can. */
async function askForService(
  rest: TwilioRest,
  config: TwilioConfig,
  signal: AbortSignal,
  cures: Cures,
): Promise<Finding> {
  try {
    const pages = rest.conversationsSince(rest.time.now(), signal);
    await pages.next();
    await pages.return(undefined);
    return ok(`${config.apiKey} may use the service ${config.chatServiceSid}`);
  } catch (reason) {
    const error: ConnectorError = toConnectorError(reason);
    const { cure, found } = toFault(error);
    return fault(found, cures[error.code] ?? cure ?? '');
  }
}

function ignore(): void {
  // Nothing is to be done: the session is closed again.
}
