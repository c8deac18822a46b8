import { correlationIdOf, createTopics, ENVELOPE_VERSION } from '@bitbrat/envelope';
import { type Attachment, type IngressEnvelope, type Metadata } from '../contract.js';

/** The instance of the gateway that the envelopes name. */
const INSTANCE = 'test';

const START = Date.parse('2026-01-01T12:00:00.000Z');

/** How a message differs from the usual one. */
export interface MessageOptions {
  /** A phone number for SMS and WhatsApp, a login for Twitch and Discord. */
  readonly from?: string | undefined;
  /** The conversation, chat or channel. One person's messages by SMS are one conversation unless this says otherwise. */
  readonly channel?: string | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
  /** The sender's roles: `moderator`. */
  readonly roles?: readonly string[] | undefined;
  /** A program wrote it. */
  readonly isBot?: boolean | undefined;
}

/** What a platform adds to an envelope. */
interface Native {
  readonly source: string;
  readonly nativeId: string;
  readonly from: string;
  readonly displayName: string;
  readonly login?: string;
  readonly channel: IngressEnvelope['channel'];
  readonly destination: string;
  readonly metadata: Metadata;
}

/**
 * Makes envelopes as the gateway publishes them. The same calls in the same order make the same envelopes: ids are numbered, and
 * each happens a second after the one before.
 */
export class People {
  #count = 0;

  sms(text: string, options: MessageOptions = {}): IngressEnvelope {
    return this.#phone('sms', text, options);
  }

  whatsApp(text: string, options: MessageOptions = {}): IngressEnvelope {
    return this.#phone('whatsapp', text, options);
  }

  /** A line in a Twitch chat. */
  twitch(text: string, options: MessageOptions = {}): IngressEnvelope {
    const { channel = 'bitbrat', from = 'ada' } = options;
    const messageId = `00000000-0000-4000-8000-${this.#number(12)}`;
    const roomId = idOf(channel, 9);
    return this.#message(text, options, {
      source: 'twitch',
      nativeId: messageId,
      from: idOf(from, 9),
      displayName: from,
      login: from,
      channel: { id: roomId, kind: 'channel', name: channel },
      destination: channel,
      metadata: { messageId, messageType: 'chat', badges: {}, roomId },
    });
  }

  /** A message in a channel of a Discord server. */
  discord(text: string, options: MessageOptions = {}): IngressEnvelope {
    const name = options.channel ?? 'general';
    return this.#discord(
      text,
      options,
      { id: idOf(name, 19), kind: 'channel', name },
      { guildId: idOf('server', 19) },
    );
  }

  /** A private message to the bot on Discord. */
  discordDirect(text: string, options: MessageOptions = {}): IngressEnvelope {
    const id = idOf(options.channel ?? `direct ${options.from ?? 'ada'}`, 19);
    return this.#discord(text, options, { id, kind: 'direct' }, {});
  }

  /** The author changes a message. */
  edited(message: IngressEnvelope, text: string): IngressEnvelope {
    const at = this.#tick();
    return this.#about(message, at, { type: 'chat.message.edited.v1', suffix: at, text });
  }

  /** The message is deleted. */
  deleted(message: IngressEnvelope): IngressEnvelope {
    return this.#about(message, this.#tick(), {
      type: 'chat.message.deleted.v1',
      suffix: 'deleted',
      text: '',
    });
  }

  /** What follows a message that is STOP (`out`), START (`in`) or HELP (`help`). */
  consent(message: IngressEnvelope, consent: 'out' | 'in' | 'help'): IngressEnvelope {
    const event = this.#about(message, this.#tick(), {
      type: 'contact.consent.v1',
      suffix: 'consent',
      text: '',
    });
    return { ...event, metadata: { ...event.metadata, consent } };
  }

  #phone(channelType: 'sms' | 'whatsapp', text: string, options: MessageOptions): IngressEnvelope {
    const from = options.from ?? '+15550100';
    const conversationSid = `CH${idOf(options.channel ?? `${channelType} ${from}`, 32)}`;
    const messageSid = `IM${this.#number(32)}`;
    return this.#message(text, options, {
      source: 'twilio',
      nativeId: messageSid,
      from,
      displayName: from,
      channel: { id: conversationSid, kind: 'conversation', name: from },
      destination: conversationSid,
      metadata: {
        conversationSid,
        messageSid,
        messageIndex: this.#count,
        channelType,
        participantSid: `MB${idOf(from, 32)}`,
        proxyAddress: channelType === 'sms' ? '+15550199' : 'whatsapp:+15550199',
      },
    });
  }

  #discord(
    text: string,
    options: MessageOptions,
    channel: IngressEnvelope['channel'],
    extra: Metadata,
  ): IngressEnvelope {
    const from = options.from ?? 'ada';
    const messageId = `13${this.#number(17)}`;
    return this.#message(text, options, {
      source: 'discord',
      nativeId: messageId,
      from: idOf(from, 19),
      displayName: from,
      login: from,
      channel,
      destination: channel.id,
      metadata: { ...extra, channelId: channel.id, messageId, messageType: 0 },
    });
  }

  #message(text: string, options: MessageOptions, native: Native): IngressEnvelope {
    const { channel, destination, displayName, from, login, metadata, nativeId, source } = native;
    const at = this.#tick();
    const id = `${source}:${nativeId}`;
    return {
      v: ENVELOPE_VERSION,
      id,
      type: 'chat.message.v1',
      source,
      from,
      sender: {
        id: from,
        displayName,
        ...(login === undefined ? {} : { login }),
        roles: [...(options.roles ?? [])],
        isBot: options.isBot ?? false,
      },
      channel,
      text,
      attachments: [...(options.attachments ?? [])],
      occurredAt: at,
      receivedAt: at,
      correlationId: correlationIdOf(id),
      replyTo: {
        topic: createTopics().egress(INSTANCE),
        connector: source,
        destination,
        inReplyTo: nativeId,
      },
      metadata,
    };
  }

  #about(
    message: IngressEnvelope,
    at: string,
    change: { readonly type: IngressEnvelope['type']; readonly suffix: string; readonly text: string },
  ): IngressEnvelope {
    const id = `${message.id}:${change.suffix}`;
    return {
      ...message,
      id,
      type: change.type,
      text: change.text,
      attachments: change.type === 'chat.message.edited.v1' ? message.attachments : [],
      correlationId: correlationIdOf(id),
      occurredAt: at,
      receivedAt: at,
    };
  }

  #tick(): string {
    this.#count += 1;
    return new Date(START + this.#count * 1000).toISOString();
  }

  /** The number of the next envelope, in as many digits. */
  #number(digits: number): string {
    return String(this.#count + 1).padStart(digits, '0');
  }
}

/** A number that a name always has, in as many digits and not beginning with zero. */
function idOf(name: string, digits: number): string {
  const number = BigInt(`0x${correlationIdOf(name).replaceAll('-', '')}`);
  return `1${String(number % 10n ** BigInt(digits - 1)).padStart(digits - 1, '0')}`;
}
