/** Somebody who takes part in a conversation by phone. */
export interface Phone {
  /** `+15550100`, `whatsapp:+15550100`: the author of their messages. */
  readonly address: string;
  readonly participantSid: string;
  /** Our own number, that they write to. */
  readonly proxyAddress?: string;
}

/** What Twilio says by refusing a message with the error 21610: the phone wants none. No message of theirs says it. */
export interface NativeOptOut {
  readonly phone: Phone;
  readonly conversationSid: string;
  /** Null where it is not known. */
  readonly conversationName: string | null;
  /** What was refused: an egress event at the request, or a message of ours on its way to the phone. */
  readonly refused: { readonly eventId: string } | { readonly messageSid: string };
  /** RFC 3339, UTC. */
  readonly occurredAt: string;
}
