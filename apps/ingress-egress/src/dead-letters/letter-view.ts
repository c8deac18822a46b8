import { maskPhoneNumbers } from '@bitbrat/connectors-core';
import { decodeEgress, type DeadLetter, type EgressEvent } from '@bitbrat/envelope';
import { type LetterDetail, type LetterSummary } from './letter-api.js';
import { REPLAY_OF } from './replay.js';

/** The event in a letter's body; undefined where the body cannot be read as one. */
export function readEvent(letter: DeadLetter): EgressEvent | undefined {
  const decoded = decodeEgress(bodyOf(letter));
  return decoded.ok ? decoded.value : undefined;
}

/** A letter for a list: no message text, no whole phone number. */
export function toSummary(letter: DeadLetter): LetterSummary {
  return masked(summarise(letter, readEvent(letter)));
}

/**
 * A letter for a reader.
 * @param full with the original body, and nothing masked
 */
export function toDetail(letter: DeadLetter, full: boolean): LetterDetail {
  const event = readEvent(letter);
  const { attributes } = letter.origin;
  const summary = summarise(letter, event);
  if (full) return { ...summary, attributes, ...readBody(letter) };
  if (event === undefined) return masked({ ...summary, attributes });
  const { attachments, correlationId, expiresAt, inReplyTo, text } = event;
  return masked({
    ...summary,
    attributes,
    message: {
      characters: text.length,
      attachments: attachments.length,
      correlationId,
      ...(inReplyTo === undefined ? {} : { inReplyTo }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  });
}

function summarise(letter: DeadLetter, event: EgressEvent | undefined): LetterSummary {
  const { attempts, bodyBytes, error, id, occurredAt, origin, truncated } = letter;
  const replayOf = origin.attributes[REPLAY_OF];
  return {
    id,
    occurredAt,
    code: error.code,
    reason: error.message,
    attempts,
    topic: origin.topic,
    bytes: bodyBytes,
    truncated,
    ...(event === undefined ? {} : { event: event.id, target: targetOf(event) }),
    ...(replayOf === undefined ? {} : { replayOf }),
  };
}

/** Without fields that we do not know: they may hold anything. */
const targetOf = ({ target }: EgressEvent): EgressEvent['target'] => ({
  connector: target.connector,
  destination: target.destination,
});

const bodyOf = ({ bodyBase64 }: DeadLetter): Uint8Array => Buffer.from(bodyBase64, 'base64');

function readBody(letter: DeadLetter): Pick<LetterDetail, 'body' | 'bodyBase64'> {
  try {
    return { body: new TextDecoder('utf-8', { fatal: true }).decode(bodyOf(letter)) };
  } catch {
    return { bodyBase64: letter.bodyBase64 };
  }
}

/** The ids that name letters stay as they are: they are made of topic names and numbers of the bus. */
function masked<T extends LetterSummary>(view: T): T {
  const text = maskPhoneNumbers(JSON.stringify({ ...view, id: '' }));
  return { ...(JSON.parse(text) as T), id: view.id }; // masking changes characters within strings only
}
