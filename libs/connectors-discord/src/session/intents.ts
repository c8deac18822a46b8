/** Bits of "Gateway Intents" in Discord's documentation, so that the SDK need not be loaded to name them. */
export const INTENTS = {
  guilds: 1 << 0,
  guildMessages: 1 << 9,
  directMessages: 1 << 12,
  messageContent: 1 << 15,
} as const;

/** The intents that a configuration needs and no other: what is not asked for does not travel. */
export function intentsFor(config: { readonly directMessages: boolean }): number {
  const { guilds, guildMessages, directMessages, messageContent } = INTENTS;
  return guilds | guildMessages | messageContent | (config.directMessages ? directMessages : 0);
}
