/** Gateway intents by name, as in Discord's "Gateway: List of Intents". */
export const intents = {
  GUILDS: 1 << 0,
  GUILD_MEMBERS: 1 << 1,
  GUILD_PRESENCES: 1 << 8,
  GUILD_MESSAGES: 1 << 9,
  GUILD_MESSAGE_TYPING: 1 << 11,
  DIRECT_MESSAGES: 1 << 12,
  DIRECT_MESSAGE_TYPING: 1 << 14,
  MESSAGE_CONTENT: 1 << 15,
} as const;

/** The intents that must be switched on for an application before it may ask for them. */
export type PrivilegedIntent = 'GUILD_MEMBERS' | 'GUILD_PRESENCES' | 'MESSAGE_CONTENT';

const privileged: readonly PrivilegedIntent[] = ['GUILD_MEMBERS', 'GUILD_PRESENCES', 'MESSAGE_CONTENT'];

/** Every bit that Discord has given a meaning: 0 to 16, 20, 21, 24 and 25. */
const KNOWN_BITS = 0x1_ffff | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25);

/** What IDENTIFY's intents are worth: fine, or the close code that answers them. */
export function checkIntents(wanted: number, allowed: readonly PrivilegedIntent[]): 'ok' | 4013 | 4014 {
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > KNOWN_BITS || (wanted & ~KNOWN_BITS) !== 0) {
    return 4013;
  }
  const forbidden = privileged.some((name) => (wanted & intents[name]) !== 0 && !allowed.includes(name));
  return forbidden ? 4014 : 'ok';
}

/** The application flags that tell which privileged intents are switched on ("Application Flags"). */
export function applicationFlags(allowed: readonly PrivilegedIntent[]): number {
  const flags = { GUILD_PRESENCES: 1 << 12, GUILD_MEMBERS: 1 << 14, MESSAGE_CONTENT: 1 << 18 } as const;
  return allowed.reduce((sum, name) => sum | flags[name], 0);
}
