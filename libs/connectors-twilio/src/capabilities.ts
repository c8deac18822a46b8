import { type ConnectorCapabilities } from '@bitbrat/connectors-core';

/**
 * What Twilio Conversations can do.
 *
 * 1,600 characters is the limit of an outbound SMS or WhatsApp message (Conversations limits page; error 21617). Attachments are taken in,
 * but none is sent: the platform wants the bytes, and fetching a URL that a bot names would let it reach into our network.
 */
export const TWILIO_CAPABILITIES: ConnectorCapabilities = Object.freeze({
  text: Object.freeze({ maxLength: 1_600, unit: 'utf16', multiline: true }),
  attachments: Object.freeze({ inbound: true, maxOutbound: 0 }),
  directMessages: true,
  replies: false,
  receipts: true,
  edits: false,
  formatting: 'none',
  duplicateProtection: 'lookup',
});
