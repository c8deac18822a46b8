import { z } from 'zod';
import { invalidForm } from '../api-error.js';
import { type Pings } from './records.js';

const ids = z.array(z.string()).max(100).optional();

/** `allowed_mentions` as in Discord's "Allowed Mentions Object". */
export const allowedMentionsSchema = z.object({
  parse: z.array(z.enum(['everyone', 'users', 'roles'])).optional(),
  users: ids,
  roles: ids,
  replied_user: z.boolean().optional(),
});

/** What a sender allows. */
export type AllowedMentions = z.infer<typeof allowedMentionsSchema>;

/** What mentions are resolved against. */
export interface MentionContext {
  isUser(id: string): boolean;
  isRole(id: string): boolean;
  /** Author of the message that is answered. */
  readonly repliedUser: string | undefined;
}

/**
 * Whom a text pings: everybody that it names, cut down to what the sender allows.
 *
 * Throws 400/50035 when `parse` and a list name the same kind, as Discord does.
 */
export function resolvePings(
  content: string,
  allowed: AllowedMentions | undefined,
  context: MentionContext,
): Pings {
  checkExclusive(allowed);
  const parses = (kind: 'everyone' | 'users' | 'roles'): boolean =>
    allowed === undefined || (allowed.parse?.includes(kind) ?? false);
  const users = idsIn(content, /<@!?([0-9]{1,20})>/g)
    .filter((id) => context.isUser(id))
    .filter((id) => parses('users') || (allowed?.users?.includes(id) ?? false));
  const roles = idsIn(content, /<@&([0-9]{1,20})>/g)
    .filter((id) => context.isRole(id))
    .filter((id) => parses('roles') || (allowed?.roles?.includes(id) ?? false));
  const { repliedUser } = context;
  const pingsReplied =
    repliedUser !== undefined && !users.includes(repliedUser) && (allowed?.replied_user ?? !allowed);
  return {
    everyone: parses('everyone') && /@(everyone|here)\b/.test(content),
    users: pingsReplied ? [...users, repliedUser] : users,
    roles,
  };
}

function checkExclusive(allowed: AllowedMentions | undefined): void {
  const both = (['users', 'roles'] as const).filter(
    (kind) => allowed?.parse?.includes(kind) === true && (allowed[kind]?.length ?? 0) > 0,
  );
  if (both.length === 0) return;
  throw invalidForm(
    both.map((kind) => ({
      path: ['allowed_mentions', kind],
      code: 'MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE',
      message: `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`,
    })),
  );
}

function idsIn(content: string, pattern: RegExp): readonly string[] {
  return [...new Set([...content.matchAll(pattern)].flatMap(([, id]) => (id === undefined ? [] : [id])))];
}
