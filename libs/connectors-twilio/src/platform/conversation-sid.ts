const CONVERSATION_SID = /^CH[0-9a-fA-F]{32}$/;

/** Whether a text is written as the SID of a conversation (pattern of Twilio's OpenAPI description). */
export function isConversationSid(text: string): boolean {
  return CONVERSATION_SID.test(text);
}

/** A conversation's SID as Twilio writes it, in lower case; what is no SID is returned as it is. */
export function canonicalConversationSid(text: string): string {
  return isConversationSid(text) ? `CH${text.slice(2).toLowerCase()}` : text;
}
