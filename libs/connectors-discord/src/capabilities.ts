import { type ConnectorCapabilities } from '@bitbrat/connectors-core';

/**
 * What Discord can do.
 *
 * 2,000 characters and 10 files are the limits of "Create Message". Which unit Discord counts in is not documented; UTF-16 units are
 * never fewer than code points, so a text that fits by them fits by either.
 *
 * A repeated nonce gives the earlier message for "the past few minutes" ("Create Message"); two are taken for certain. 50 requests a second are
 * Discord's global limit ("Rate Limits"); five messages in five seconds to one channel are what its answers' headers say in practice. What
 * is faster waits its turn here, where it can still expire or go back to the bus, and not in discord.js.
 */
export const DISCORD_CAPABILITIES: ConnectorCapabilities = Object.freeze({
  text: Object.freeze({ maxLength: 2_000, unit: 'utf16', multiline: true }),
  attachments: Object.freeze({ inbound: true, maxOutbound: 10 }),
  directMessages: true,
  replies: true,
  receipts: false,
  edits: true,
  formatting: 'markdown',
  rates: Object.freeze({
    perDestination: Object.freeze({ count: 5, perMs: 5_000 }),
    total: Object.freeze({ count: 50, perMs: 1_000 }),
  }),
  duplicateProtection: 'platform',
  protectedForMs: 120_000,
});
