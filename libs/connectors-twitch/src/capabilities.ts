import { type ConnectorCapabilities } from '@bitbrat/connectors-core';

/**
 * What Twitch chat can do.
 *
 * A message holds 500 characters ("Send Chat Message"); the pages do not say how they are counted, so UTF-16 units are, which never counts
 * too few. 10 of them are kept for what disarms commands and tells repeated texts apart.
 *
 * `duplicateProtection` is `none` because Twitch's own (`msg_duplicate`) covers a repetition only that comes within 30 seconds, directly
 * after the first one, and not where the bot is a moderator. Within these limits a retry is still kept from being sent twice.
 */
export const TWITCH_CAPABILITIES: ConnectorCapabilities = Object.freeze({
  text: Object.freeze({ maxLength: 490, unit: 'utf16', multiline: false }),
  attachments: Object.freeze({ inbound: false, maxOutbound: 0 }),
  directMessages: false,
  replies: true,
  receipts: false,
  edits: false,
  formatting: 'none',
  duplicateProtection: 'none',
});
