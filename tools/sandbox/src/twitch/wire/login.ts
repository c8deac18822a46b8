import { type FaultRules } from '../../fault-rules.js';
import { type ArmedFault } from '../fault-schema.js';
import { type RateLimit, type SlidingWindow } from '../model/rate-limits.js';
import { type TokenStore } from '../model/tokens.js';
import { type TwitchUser } from '../model/users.js';

/** Who has logged in; no user for an anonymous reader. */
export interface Identity {
  readonly nick: string;
  readonly user: TwitchUser | undefined;
  readonly scopes: readonly string[];
}

/** What a login is checked against. */
export interface LoginDependencies {
  readonly tokens: TokenStore;
  readonly faults: FaultRules<ArmedFault>;
  readonly logins: SlidingWindow;
  readonly loginLimit: RateLimit;
}

const ANONYMOUS = /^justinfan\d+$/;

/**
 * Checks PASS and NICK.
 * @returns who it is, or the text of the NOTICE with which Twitch refuses ("Authenticating with the Twitch IRC server")
 */
export function logIn(nick: string, pass: string | undefined, deps: LoginDependencies): Identity | string {
  const fault = deps.faults.strike('login-failure', ({ login }) => login === undefined || login === nick);
  if (fault !== undefined) return fault.text;
  if (ANONYMOUS.test(nick)) return { nick, user: undefined, scopes: [] };
  if (pass?.startsWith('oauth:') !== true) return 'Improperly formatted auth';
  if (deps.logins.hit(nick) > deps.loginLimit.count) return 'Login unsuccessful';
  const grant = deps.tokens.check(pass.slice('oauth:'.length));
  if (grant?.user.login !== nick || !grant.scopes.includes('chat:read')) return 'Login authentication failed';
  return { nick, user: grant.user, scopes: grant.scopes };
}
