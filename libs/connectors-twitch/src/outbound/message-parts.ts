import { createHash } from 'node:crypto';
import { ConnectorError, type SendOptions } from '@bitbrat/connectors-core';
import { planChatTexts } from './chat-text.js';

/** One part of a text on its way. */
export interface MessagePart {
  readonly channel: string;
  readonly text: string;
  /** The same for each try of the same part. */
  readonly nonce: string;
  readonly inReplyTo: string | undefined;
  /** An earlier try may have reached Twitch, as far as the caller knows. */
  readonly mayHaveBeenSent: boolean;
  /** As `SendOptions.expiresAt`, for the first part: what has begun is carried through. */
  readonly expiresAt: number | undefined;
}

/**
 * The messages that carry a text.
 * @throws ConnectorError where Twitch could not take it
 */
export function planParts(text: string, channel: string, options: SendOptions): readonly MessagePart[] {
  const { expiresAt, idempotencyKey, inReplyTo, mayHaveBeenSent } = options;
  if ((options.attachments?.length ?? 0) > 0) {
    throw new ConnectorError('UNSUPPORTED', 'attachments cannot be sent to Twitch chat', {
      hint: 'put the link into the text',
    });
  }
  const texts = planChatTexts(text);
  if (inReplyTo !== undefined && !/^[\w-]{1,128}$/.test(inReplyTo)) {
    throw new ConnectorError('PAYLOAD_INVALID', 'inReplyTo is no id of a Twitch message');
  }
  return texts.map((part, i) => ({
    channel,
    text: part,
    nonce: nonceOf(`${channel} ${idempotencyKey}`, i),
    inReplyTo: i === 0 ? inReplyTo : undefined,
    mayHaveBeenSent,
    expiresAt: i === 0 ? expiresAt : undefined,
  }));
}

/** A channel's name as Twitch writes it; destinations may have a `#` and capitals. */
export function canonicalChannel(destination: string): string {
  return destination.replace(/^#/, '').toLowerCase();
}

/**
 * The name of the channel that a destination is.
 * @param channels those that may be written to
 * @throws ConnectorError where it is none of them
 */
export function toChannel(destination: string, channels: readonly string[]): string {
  if (destination.startsWith('@')) {
    throw new ConnectorError('UNSUPPORTED', `${destination}: whispers cannot be sent by chat`, {
      hint: 'answer in a channel: Twitch takes whispers by its API only',
    });
  }
  const channel = canonicalChannel(destination);
  if (channels.includes(channel)) return channel;
  throw new ConnectorError('TARGET_NOT_FOUND', `${destination} is none of the channels that the bot is in`, {
    hint: "use the envelope's replyTo.destination, or add the channel to TWITCH_CHANNELS",
  });
}

/** The same for each try of one part, so that a trace of it can be followed. */
function nonceOf(key: string, part: number): string {
  return createHash('sha256').update(`${key} ${part}`).digest('hex').slice(0, 32);
}
