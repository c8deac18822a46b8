import { type FindingKind } from '../account/verdict.js';

/** One change of the service's source that breaks one of its promises. */
export interface Sabotage {
  /** End of the path of the source file. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Faults that bring the damage to light. */
  readonly faults: readonly string[];
  /** Default: Twilio alone. */
  readonly platforms?: readonly string[];
  /** Default: a file. Faults with two processes need Firestore. */
  readonly store?: 'file' | 'firestore';
  /** What the campaign then has to find: one of these. */
  readonly shows: readonly FindingKind[];
}

/**
 * Builds that are broken on purpose, to show that the campaign notices. Each is a change of the source's text
 * at build time; the service itself has no switch for any of them.
 */
export const SABOTAGES = {
  /** The cursor moves before the bus has acknowledged: what dies with the process in between is lost. */
  'cursor-before-ack': {
    file: 'libs/connectors-twilio/src/inbound/conversation-cursor.ts',
    find: '      const results = await this.options.take(fresh);',
    replace: `      await conversation.advanceLastReadMessageIndex(page.at(-1)?.index ?? last);
      const results = await this.options.take(fresh);`,
    faults: ['service.kill-while-bus-is-away'],
    shows: ['ingress missing'],
  },
  /** An event is acknowledged before its outcome is known: what dies with the process in between is lost. */
  'ack-before-outcome': {
    file: 'apps/ingress-egress/src/egress/egress-consumer.ts',
    find: '      const { disposition, finished } = await this.#lanes.run(lane, () => delivery.run());',
    replace: `      void this.#lanes.run(lane, () => delivery.run());
      const { disposition, finished } = { disposition: 'ack' as const, finished: Promise.resolve() };`,
    faults: ['service.kill', 'twilio.slow'],
    shows: ['egress missing', 'egress without outcome'],
  },
  /** An event counts as sent before it is sent: a try that failed is never repeated. */
  'dedupe-before-send': {
    file: 'libs/connectors-twilio/src/outbound/message-sender.ts',
    find: '    if (remembered !== undefined) return { ...remembered, duplicate: true };\n',
    replace: `    if (remembered !== undefined) return { ...remembered, duplicate: true };
    this.#receipts.set(key, { platformMessageIds: [], duplicate: false });
`,
    faults: ['twilio.failing', 'twilio.too-many'],
    shows: ['egress missing'],
  },
  /** A message with the text of an earlier one is taken for it. */
  'dedupe-by-text': {
    file: 'libs/connectors-twilio/src/outbound/message-sender.ts',
    find: '    const key = `${conversationSid} ${idempotencyKey}`;',
    replace: '    const key = `${conversationSid} ${parts.join()}`;',
    faults: ['none'],
    shows: ['egress missing', 'egress outcome wrong'],
  },
  /** A gap is dated 20 seconds too early. */
  'gap-dated-long': {
    file: 'libs/connectors-twitch/src/twitch-ingress-client.ts',
    find: '  return Math.max(0, heardUntil - GAP_MARGIN_MS);',
    replace: '  return Math.max(0, heardUntil - GAP_MARGIN_MS - 20_000);',
    platforms: ['twitch'],
    faults: ['twitch.drop', 'twitch.refuse-connections'],
    shows: ['gap too long'],
  },
  /** What waits for a connection is not woken when it is there. */
  'no-wake-on-connected': {
    file: 'libs/connectors-core/src/manager/connection-watch.ts',
    find: '    for (const wake of woken) wake();',
    replace: '    void woken;',
    faults: ['twilio.refuse-connections'],
    shows: ['egress late'],
  },
  /** An event expires five seconds before its time. */
  'expired-early': {
    file: 'apps/ingress-egress/src/egress/event-delivery.ts',
    find: 'expiresInMs !== undefined && expiresInMs <= 0',
    replace: 'expiresInMs !== undefined && expiresInMs <= 5_000',
    faults: ['none'],
    shows: ['egress expired early'],
  },
  /** An attachment is fetched for as long as its server likes. */
  'fetch-without-deadline': {
    file: 'libs/connectors-core/src/media/media-fetcher.ts',
    find: '      ended.abort(tooLate(`not fetched after ${timeoutMs} ms`));',
    replace: '      void timeoutMs;',
    platforms: ['discord'],
    faults: ['none'],
    shows: ['egress without outcome'],
  },
  /** A claim is taken although another living process has it. */
  'claim-overwrites': {
    file: 'apps/ingress-egress/src/egress/send-claims.ts',
    find: "        return { kind: 'held', epoch: mark.epoch };",
    replace: "        return { kind: 'mine', earlier: 'none', deaths: 0 };",
    platforms: ['twilio', 'twitch', 'discord'],
    store: 'firestore',
    faults: ['service.deploy', 'service.rollback'],
    shows: ['egress doubled', 'egress outcome repeated'],
  },
} as const satisfies Record<string, Sabotage>;

export type SabotageName = keyof typeof SABOTAGES;

/** The broken build of this name. */
export function sabotageOf(name: SabotageName): Sabotage {
  return SABOTAGES[name];
}

/**
 * The broken source.
 * @throws Error where the passage is not there exactly once, as after a change of the service
 */
export function sabotage(source: string, { file, find, replace }: Sabotage): string {
  const places = source.split(find).length - 1;
  if (places !== 1) {
    throw new Error(`${file}: expected the passage to break once, found it ${places} times:\n${find}`);
  }
  return source.replace(find, () => replace);
}
