import { type ChatLine } from '../platform/chat-line.js';
import { type ChatStanding } from './rate-limit.js';
import { rolesOf } from '../inbound/twitch-envelope-builder.js';

/** What USERSTATE says of the bot in the channel. */
export function toStanding({ tags }: ChatLine): ChatStanding {
  const roles = rolesOf(tags);
  if (roles.includes('moderator') || roles.includes('broadcaster')) return 'privileged';
  return roles.includes('vip') ? 'vip' : 'ordinary';
}
