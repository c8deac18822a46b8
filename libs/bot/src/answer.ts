import { createHash } from 'node:crypto';
import {
  createReply,
  type EgressEvent,
  egressEventSchema,
  type IngressEnvelope,
  MAX_TEXT_LENGTH,
} from '@bitbrat/envelope';
import { type ReplyOptions } from './bot.js';
import { BotError } from './bot-error.js';

/** The longest id of an egress event. */
const MAX_ID_LENGTH = 256;

/** The prefix of the ids of all answers of a bot. Outcomes are known by it. */
export const answerIdPrefix = (botName: string): string => `reply:${botName}:`;

/**
 * The id of an answer: the same whenever the message is handled again, and another for each bot.
 * @param key tells answers to one message apart; `''` for the first one
 */
export function answerId(botName: string, envelopeId: string, key: string): string {
  const prefix = answerIdPrefix(botName);
  const rest = key === '' ? envelopeId : `${envelopeId}:${key}`;
  if (prefix.length + rest.length <= MAX_ID_LENGTH) return prefix + rest;
  return prefix + createHash('sha256').update(rest).digest('hex');
}

/**
 * An answer as an egress event.
 * @throws BotError `INVALID_REPLY` that names the field; never its value
 */
export function toAnswer(
  botName: string,
  envelope: IngressEnvelope,
  text: string,
  options: ReplyOptions & { readonly key: string },
): EgressEvent {
  if (typeof text !== 'string') throw invalid('text: expected a string');
  if (text.length > MAX_TEXT_LENGTH) {
    throw invalid(`text: ${text.length} UTF-16 code units, ${MAX_TEXT_LENGTH} are allowed`);
  }
  const { attachments, expiresAt, key, metadata, quote } = options;
  const event = createReply(envelope, text, {
    id: answerId(botName, envelope.id, key),
    attachments: (attachments ?? []).map((attachment) => ({ ...attachment })),
    ...(expiresAt === undefined ? {} : { expiresAt: isoTime(expiresAt) }),
    metadata: { ...metadata },
    ...(quote === undefined ? {} : { quote }),
  });
  const checked = egressEventSchema.safeParse(event);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw invalid(`${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'malformed'}`);
}

function isoTime(date: Date): string {
  if (Number.isNaN(date.getTime())) throw invalid('expiresAt: expected a valid Date');
  return date.toISOString();
}

const invalid = (detail: string): BotError =>
  new BotError('INVALID_REPLY', `the answer is not valid: ${detail}`);
