import { type Sandbox } from '@bitbrat/sandbox';
import { type CampaignPlatform, type Deleted, type Standing, type Written } from '../campaign-platform.js';
import { type Fault, type FaultContext } from '../fault.js';
import { STATUS_FAULT } from '../faults/status-refusals.js';
import { ERROR_STATUSES, faultRowsOf } from './fault-row.js';

type TwilioSandbox = Sandbox['twilio'];
type FaultInput = Parameters<TwilioSandbox['injectFault']>[0];

/** The watchdog asks every five seconds and waits ten for the answer. */
const DETECTION_MS = 15_000;

/** SMS and WhatsApp: a conversation per person, all of it kept by the platform. */
export class TwilioPlatform implements CampaignPlatform {
  readonly name = 'twilio';
  readonly load = {
    people: 10,
    newcomers: 0.04,
    weight: 3,
    answered: 0.5,
    unasked: 0.3,
    sendLimit: 50,
    attachments: 0,
    longWords: 500,
  };
  readonly promise = { inbound: 'complete', outbound: 'once' } as const;
  readonly faults: readonly Fault[];
  /** The newest one of each person; those who wrote last are at the end. */
  readonly #conversations = new Map<number, string>();
  readonly #deletions: Deleted[] = [];
  /** What the bot had written in deleted conversations. */
  readonly #buried = new Map<string, readonly Standing[]>();

  /** @param replaceAfter messages after which the service replaces the SDK's client */
  constructor(
    private readonly sandbox: TwilioSandbox,
    private readonly webhookUrl: string,
    private readonly replaceAfter: number,
  ) {
    this.faults = [
      ...twilioFaults(sandbox),
      {
        // As by an operator, or by a clean-up of old conversations. Who writes then gets a new one.
        name: 'twilio.conversation-deleted',
        weight: 2,
        lastsMs: [0, 0],
        quick: true,
        disturbs: false,
        cause: (context) => {
          this.#deleteSome(context);
          return undefined;
        },
      },
    ];
  }

  environment(): Record<string, string> {
    return {
      ...this.sandbox.environment(),
      TWILIO_WEBHOOK_URL: this.webhookUrl,
      TWILIO_SWEEP_SECONDS: '5',
      TWILIO_WATCHDOG_SECONDS: '5',
      TWILIO_REPLACE_CLIENT_AFTER_MESSAGES: String(this.replaceAfter),
      // The shortest token that Twilio gives: it is renewed twice within a run of some minutes.
      TWILIO_TOKEN_TTL_SECONDS: '180',
    };
  }

  async write(person: number, text: string): Promise<Written> {
    const number = `+1555${String(person).padStart(7, '0')}`;
    const from = person % 5 === 4 ? `whatsapp:${number}` : number;
    const { conversationSid, messageSid } = await this.sandbox.receiveMessage({ from, body: text });
    this.#conversations.delete(person);
    this.#conversations.set(person, conversationSid);
    return { id: `twilio:${messageSid}`, channel: conversationSid };
  }

  destination(person: number): string {
    const sid = this.#conversations.get(person);
    if (sid === undefined) throw new Error(`person ${person} has not written by Twilio yet`);
    return sid;
  }

  standing(): ReadonlyMap<string, readonly Standing[]> {
    return new Map([
      ...this.#buried,
      ...this.sandbox.conversations().map(({ sid }): [string, Standing[]] => [sid, this.#messagesOfBot(sid)]),
    ]);
  }

  deletions(): readonly Deleted[] {
    return this.#deletions;
  }

  slowSends(delayMs: number): () => void {
    const { id } = this.sandbox.injectFault({
      kind: 'request',
      target: 'tunnel',
      operation: 'sendMessage',
      delayMs,
    });
    return () => {
      if (id !== null) this.sandbox.heal(id);
    };
  }

  heal(): void {
    this.sandbox.heal();
  }

  #messagesOfBot(sid: string): Standing[] {
    const bot = this.sandbox.environment()['TWILIO_IDENTITY'];
    const own = this.sandbox.messages(sid).filter(({ author }) => author === bot);
    return own.map(({ body, dateCreated, sid: id }) => ({
      id,
      text: body ?? '',
      wallTime: Date.parse(dateCreated),
    }));
  }

  /** Up to three, often the one in which something was written last: there something is under way. */
  #deleteSome({ random }: FaultContext): void {
    // What tells the SDK may be lost, and then it goes on listing them.
    const { id } = this.sandbox.injectFault({
      kind: 'lose-push',
      events: ['map_item_removed'],
      replay: random.chance(0.5),
      probability: random.pick([0, 1]),
    });
    const known = [...this.#conversations.values()];
    const chosen = Array.from({ length: random.int(1, 3) }, () =>
      random.chance(0.5) ? known.at(-1) : random.pick(known),
    );
    for (const channel of new Set(chosen)) {
      if (channel === undefined || this.#buried.has(channel)) continue;
      this.#buried.set(channel, this.#messagesOfBot(channel));
      this.sandbox.deleteConversation(channel);
      this.#deletions.push({ channel, wallTime: Date.now() });
    }
    if (id !== null) this.sandbox.heal(id);
  }
}

function twilioFaults(sandbox: TwilioSandbox): readonly Fault[] {
  const row = faultRowsOf<FaultInput>('twilio', sandbox);
  const send = { kind: 'request', target: 'tunnel', operation: 'sendMessage' } as const;
  const hows = ['reset', 'http', 'silence'] as const;
  return [
    row('drop', 3, [0, 0], (pick) => ({ kind: 'drop', how: pick(['reset', 'close']) })),
    row('drop-without-replay', 3, [0, 0], (pick) => ({
      kind: 'drop',
      how: pick(['reset', 'close']),
      replay: false,
    })),
    row('half-open', 2, [0, 0], () => ({ kind: 'half-open' }), { quick: false, detectionMs: DETECTION_MS }),
    row('refuse-connections', 2, [2_000, 12_000], (pick) => {
      sandbox.injectFault({ kind: 'drop', replay: pick([true, false]) });
      return { kind: 'refuse-connections', how: pick(hows) };
    }),
    row('move', 1, [0, 0], () => ({ kind: 'close-frame', status: 308 })),
    row('token-ended', 2, [0, 0], () => ({ kind: 'close-frame', status: 410 })),
    row('token-warning', 1, [0, 0], () => ({ kind: 'token-about-to-expire' })),
    row('token-refused', 2, [1_000, 6_000], (pick) => {
      sandbox.injectFault({ kind: 'drop' });
      return { kind: 'refuse-token', on: pick(['init', 'update', 'both']) };
    }),
    row('token-short-lived', 2, [4_000, 15_000], (pick) => {
      sandbox.injectFault({ kind: 'drop' });
      return { kind: 'token-life', seconds: pick([2, 6]), warns: pick([true, false]) };
    }),
    row('slow', 2, [2_000, 10_000], (pick) => {
      const delayMs = pick([300, 1_500, 6_000]);
      return { kind: 'request', target: 'tunnel', delayMs, probability: 0.5 };
    }),
    row('failing', 2, [2_000, 10_000], (pick) => ({
      kind: 'request',
      target: pick(['tunnel', 'rest']),
      status: pick([500, 503]),
      probability: 0.6,
    })),
    row('too-many', 2, [2_000, 8_000], (pick) => ({
      kind: 'request',
      target: pick(['tunnel', 'rest']),
      status: 429,
      probability: 0.6,
    })),
    row('too-many-retry-after', 2, [2_000, 8_000], (pick) => ({
      kind: 'request',
      target: pick(['tunnel', 'rest']),
      status: 429,
      retryAfterSeconds: pick([1, 3]),
      probability: 0.6,
    })),
    row(STATUS_FAULT, 3, [1_000, 6_000], (pick) => {
      const status = pick(ERROR_STATUSES);
      if (pick([true, false])) sandbox.injectFault({ kind: 'drop' });
      if (pick([true, false, false])) return { kind: 'refuse-connections', how: 'http', status };
      return {
        kind: 'request',
        target: pick(['tunnel', 'rest']),
        status,
        probability: 0.4,
      };
    }),
    row('answer-lost', 4, [1_000, 5_000], (pick) => ({
      ...send,
      loseAnswer: pick(['drop', 'silence']),
      probability: 0.7,
    })),
    row('horizon-lost', 2, [1_000, 6_000], (pick) => ({
      kind: 'request',
      target: 'tunnel',
      operation: 'setReadHorizon',
      ...pick([{ loseAnswer: 'drop' }, { status: 500 }] as const),
    })),
    row('push-lost', 3, [1_000, 8_000], (pick) => ({
      kind: 'lose-push',
      replay: pick([true, false]),
      probability: 0.7,
    })),
    row('no-replay', 1, [2_000, 8_000], () => {
      sandbox.injectFault({ kind: 'drop' });
      return { kind: 'no-replay' };
    }),
    row('webhook-lost', 2, [1_000, 8_000], () => ({
      kind: 'webhook',
      action: 'lose',
      event: 'onMessageAdded',
      probability: 0.7,
    })),
    row('webhook-late', 1, [1_000, 8_000], () => ({
      kind: 'webhook',
      action: 'delay',
      delayMs: 2_000,
    })),
    row('webhook-twice', 1, [1_000, 8_000], () => ({
      kind: 'webhook',
      action: 'duplicate',
    })),
  ];
}
