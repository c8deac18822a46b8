/** An address apart from the channel that it belongs to. */
export interface TwilioAddress {
  /** `sms`, `whatsapp`, another channel's own prefix, `chat` for an identity. */
  readonly channelType: string;
  /** E.164 for phones, else the identity. */
  readonly address: string;
}

/** `whatsapp:+15550100` -> whatsapp and `+15550100`; `+15550100` -> sms; anything else is a chat identity. */
export function parseAddress(author: string): TwilioAddress {
  const [, channelType, phone] = /^(?:([a-z][a-z0-9]*):)?(\+\d{2,15})$/.exec(author) ?? [];
  if (phone === undefined) return { channelType: 'chat', address: author };
  return { channelType: channelType ?? 'sms', address: phone };
}
