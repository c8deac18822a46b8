import { type JudgedEvent } from './egress-groups.js';
import { type Facts, type RetryFact } from '../facts.js';

/**
 * Milliseconds after a disturbance within which the bus has delivered again what it had lent out: Google's
 * emulator waits for the end of its lease of 20 seconds, and may lend it a second time to a connection that
 * is gone; then it has to be sent.
 */
export const REDELIVERY_MS = 60_000;

/**
 * Milliseconds after which a request without an answer is given up: the longest time-out of the connectors.
 */
const REQUEST_MS = 15_000;
/** A try that failed is repeated after exponential back-off: `1 s * 2^(tries - 1)`, 30 s at the most. */
const BACKOFF_BASE_MS = 1_000;
const BACKOFF_MOST_MS = 30_000;
/**
 * Where a platform is looked through (Twilio), a try whose answer was lost is looked for after ten seconds,
 * also when its process has ended.
 */
const LOOK_MS = 10_000;
/**
 * Twitch: 20 lines in 30 seconds, with some room, and no equal ones; a process that knows nothing of the
 * window waits for its end.
 */
const TWITCH_WINDOW_MS = 32_000;
const TWITCH_BURST = 10;
/**
 * Twitch's connector waits so long for the confirmation of a line (`TWITCH_CONFIRM_SECONDS`), and puts lines
 * 1.2 s apart.
 */
const TWITCH_SPACING_MS = 1_200;
/** Discord: five messages in five seconds in one channel. */
const DISCORD_WINDOW_MS = 5_000;
const DISCORD_BURST = 4;

/**
 * Milliseconds that Discord's SDK itself may wait for a rate limit (`MAX_RATE_LIMIT_WAIT_MS` in
 * connectors-discord) after a message was handed to it. Any status includes 429.
 */
const DISCORD_SDK_WAIT_MS = 10_000;
const DISCORD_LIMITING = /^discord\.(?:any-status|too-many)/;

/** For how many milliseconds after a fault its platform's SDK may still wait because of it. */
export function sdkWaitMs(faultName: string): number {
  return DISCORD_LIMITING.test(faultName) ? DISCORD_SDK_WAIT_MS : 0;
}

/** Milliseconds that a message may wait for the platform's window of sends; 0 where windows are short. */
export function sendWindowMs(platform: string): number {
  return platform === 'twitch' ? TWITCH_WINDOW_MS : 0;
}

/** What a message's wait is made up from. */
export interface Waiting {
  readonly event: JudgedEvent;
  /** When all that it needs was there, in milliseconds since the run began. */
  readonly ready: number;
  /** Its tries that had failed before it was sent, in order of time. */
  readonly tries: readonly RetryFact[];
  /** When messages before it came to stand. */
  readonly recent: { readonly platform: readonly number[]; readonly destination: readonly number[] };
  readonly facts: Facts;
}

/**
 * When the service's documented waits are over, in milliseconds since the run began; `ready` where there are
 * none.
 */
export function documentedWaits(waiting: Waiting): number {
  return Math.max(waiting.ready, retryDue(waiting), takeOverDue(waiting), paceDue(waiting));
}

/**
 * A try that was under way when all was there again may end as late as its time-out; then comes the back-off.
 * Whoever waits for nothing but the connection is woken by it.
 */
function retryDue({ event, facts, ready, tries }: Waiting): number {
  const last = tries.filter(({ at }) => at <= ready + REQUEST_MS).at(-1);
  const failed = Math.max(0, ...event.outcomes.map(({ attempts }) => attempts - 1));
  if (last?.code === 'RATE_LIMITED') return last.at + last.delayMs;
  const lookAt = event.platform === 'twilio' && failed > 0 ? ready + LOOK_MS : ready;
  const isWoken = facts.states.some(
    ({ at, isConnected, platform }) =>
      isConnected && platform === event.platform && at >= (last?.at ?? event.at) && at <= ready + 1,
  );
  if (failed === 0 || isWoken) return lookAt;
  const backoffMs = Math.min(BACKOFF_MOST_MS, BACKOFF_BASE_MS * 2 ** (failed - 1));
  return Math.max(lookAt, (isInFlight(tries, ready) ? ready + REQUEST_MS : ready) + backoffMs);
}

/** Whether a try may have begun before all was there, and ended after. Not every failed try is logged. */
function isInFlight(tries: readonly RetryFact[], ready: number): boolean {
  return !tries.some(({ at }) => at >= ready - BACKOFF_BASE_MS && at <= ready);
}

/** An event that was published before a process began may have been tried by the one before it. */
function takeOverDue({ event, facts, ready }: Waiting): number {
  if (event.platform !== 'twilio') return ready;
  const begun = facts.states.filter(
    ({ at, isAlive, platform }) => platform === undefined && isAlive && at >= event.at && at <= ready,
  );
  return Math.max(ready, ...begun.map(({ at }) => at + LOOK_MS));
}

/** What the platform takes in a while. */
function paceDue({ event, facts, ready, recent }: Waiting): number {
  const since = (times: readonly number[], ms: number): readonly number[] =>
    times.filter((time) => time >= ready - ms);
  if (event.platform === 'discord') {
    const waitsInSdk = facts.troubles.some(
      ({ from, name, to }) => sdkWaitMs(name) > 0 && from <= ready && to + sdkWaitMs(name) >= ready,
    );
    if (waitsInSdk) return ready + DISCORD_SDK_WAIT_MS;
    // A new process repeats what the one before had in hand: that counts, though it stands already.
    const isSpent = since(recent.destination, DISCORD_WINDOW_MS).length >= DISCORD_BURST;
    return isSpent || isNewProcess(facts, ready, DISCORD_WINDOW_MS) ? ready + DISCORD_WINDOW_MS : ready;
  }
  if (event.platform !== 'twitch') return ready;
  const isSpent = event.hasEqual || since(recent.platform, TWITCH_WINDOW_MS).length >= TWITCH_BURST;
  const isNew = isNewProcess(facts, ready, TWITCH_WINDOW_MS);
  return ready + (isSpent || isNew ? TWITCH_WINDOW_MS : TWITCH_SPACING_MS * 3);
}

/** Whether a process has begun within `ms` milliseconds before `ready`. */
function isNewProcess({ states }: Facts, ready: number, ms: number): boolean {
  return states.some(
    ({ at, isAlive, platform }) => platform === undefined && isAlive && at >= ready - ms && at <= ready,
  );
}
