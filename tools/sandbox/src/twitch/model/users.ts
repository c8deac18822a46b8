import { createHash } from 'node:crypto';
import { ControlError } from '../control/control-error.js';

/** Somebody with an account. */
export interface TwitchUser {
  /** Decimal digits; `'0'` and `'1'` are possible, and awkward for clients that read tags as booleans. */
  readonly id: string;
  /** Lower case. */
  readonly login: string;
  displayName: string;
}

/** What is known of a user beyond the login. */
export interface UserDetails {
  readonly id?: string | undefined;
  readonly displayName?: string | undefined;
}

const LOGIN = /^[a-z0-9_]{1,25}$/;
const FIRST_DERIVED_ID = 100_000_000;
const DERIVED_IDS = 800_000_000;

/** Whether Twitch could have an account or a channel of this name; lower case only. */
export function isLogin(name: string): boolean {
  return LOGIN.test(name);
}

/** All accounts. An id that nobody sets is derived from the login, so that it is the same in every run. */
export class UserDirectory {
  readonly #byLogin = new Map<string, TwitchUser>();
  readonly #byId = new Map<string, TwitchUser>();

  find(login: string): TwitchUser | undefined {
    return this.#byLogin.get(login.toLowerCase());
  }

  findById(id: string): TwitchUser | undefined {
    return this.#byId.get(id);
  }

  /**
   * The account of this login, made when there is none.
   * @throws ControlError when the login cannot exist, or id and login belong to different accounts
   */
  ensure(name: string, details: UserDetails = {}): TwitchUser {
    const login = name.toLowerCase();
    const known = this.#byLogin.get(login) ?? this.#create(login, details);
    if (details.id !== undefined && details.id !== known.id) {
      throw new ControlError(409, `${login} has the user id ${known.id}, not ${details.id}.`);
    }
    if (details.displayName !== undefined) known.displayName = details.displayName;
    return known;
  }

  #create(login: string, { id, displayName }: UserDetails): TwitchUser {
    if (!isLogin(login)) {
      throw new ControlError(400, `"${login}" is no login: 1 to 25 letters, digits and underscores.`);
    }
    const owner = id === undefined ? undefined : this.#byId.get(id);
    if (owner !== undefined)
      throw new ControlError(409, `The user id ${owner.id} belongs to ${owner.login}.`);
    const user = { id: id ?? this.#deriveId(login), login, displayName: displayName ?? login };
    this.#byLogin.set(login, user);
    this.#byId.set(user.id, user);
    return user;
  }

  #deriveId(login: string): string {
    let id = FIRST_DERIVED_ID + (createHash('sha256').update(login).digest().readUInt32BE() % DERIVED_IDS);
    while (this.#byId.has(String(id))) id += 1;
    return String(id);
  }
}
