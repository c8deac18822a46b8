import { type ConnectorCapabilities } from '@bitbrat/connectors-core';

/**
 * What Discord can do.
 *
 * 2,000 characters and 10 files are the limits of "Create Message". Which unit Discord counts in is not documented; UTF-16 units are
 * never fewer than code points, so a text that fits by them fits by either. A repeated nonce gives the earlier message for some minutes.
 */
export const DISCORD_CAPABILITIES: ConnectorCapabilities = Object.freeze({
  text: Object.freeze({ maxLength: 2_000, unit: 'utf16', multiline: true }),
  attachments: Object.freeze({ inbound: true, maxOutbound: 10 }),
  directMessages: true,
  replies: true,
  receipts: false,
  edits: true,
  formatting: 'markdown',
  duplicateProtection: 'platform',
});
