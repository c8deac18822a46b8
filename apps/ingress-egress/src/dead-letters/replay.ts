import { decodeEgress, type DeadLetter, type Topics } from '@bitbrat/envelope';
import { type OutgoingMessage, type ReceivedMessage } from '@bitbrat/message-bus';
import { type Refusal } from './letter-api.js';

/** Attribute of a replayed message: the id of the letter that it was. Such a message may have been sent before. */
export const REPLAY_OF = 'bitbrat-replay-of';

/** Id of the dead letter of which the message is a replay. */
export function replayedLetterOf({ attributes }: Pick<ReceivedMessage, 'attributes'>): string | undefined {
  return attributes[REPLAY_OF];
}

/** Where this instance takes its messages from. */
export interface ReplayRoutes {
  readonly topics: Topics;
  /** Full name of this instance's egress topic. */
  readonly egressTopic: string;
}

/** What to publish to replay a letter, or why it cannot be replayed. */
export type ReplayPlan =
  | { readonly ok: true; readonly topic: string; readonly message: OutgoingMessage }
  | { readonly ok: false; readonly refusal: Omit<Refusal, 'id'> };

/**
 * The original bytes, attributes and ordering key, for the topic that the message came by. The egress topic of any
 * instance, dead ones too, becomes that of this instance.
 * @param now milliseconds since 1970
 */
export function planReplay(letter: DeadLetter, routes: ReplayRoutes, now: number): ReplayPlan {
  const { bodyBase64, bodyBytes, id, origin, truncated } = letter;
  if (truncated) {
    const reason = `only the beginning of its ${bodyBytes} bytes was kept: have the sender send it again, smaller`;
    return refuse('TRUNCATED', reason);
  }
  const topic = replayTopic(origin.topic, routes);
  if (topic === undefined) {
    return refuse('UNKNOWN_ORIGIN', `it came by ${origin.topic}, which is no topic of this gateway`);
  }
  const data = Buffer.from(bodyBase64, 'base64');
  const expiresAt = expiryOf(data);
  if (expiresAt !== undefined && Date.parse(expiresAt) <= now) {
    return refuse('EXPIRED', `its sender wanted it sent before ${expiresAt}: it would not be sent any more`);
  }
  const { orderingKey } = origin;
  const attributes = { ...origin.attributes, [REPLAY_OF]: id };
  return {
    ok: true,
    topic,
    message: { data, attributes, ...(orderingKey === undefined ? {} : { orderingKey }) },
  };
}

const refuse = (code: string, reason: string): ReplayPlan => ({ ok: false, refusal: { code, reason } });

/** A topic that nobody reads would swallow the message, so only those that the gateway knows are published to. */
function replayTopic(origin: string, { egressTopic, topics }: ReplayRoutes): string | undefined {
  if (origin.startsWith(topics.egress(''))) return egressTopic;
  return origin === topics.ingress ? origin : undefined;
}

function expiryOf(data: Uint8Array): string | undefined {
  const decoded = decodeEgress(data);
  return decoded.ok ? decoded.value.expiresAt : undefined;
}
