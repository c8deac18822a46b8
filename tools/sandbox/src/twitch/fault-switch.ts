import { type FaultRules } from '../fault-rules.js';
import {
  type ArmedFault,
  armedFaultSchema,
  type TwitchFaultInput,
  twitchFaultSchema,
} from './fault-schema.js';
import { type IrcConnection } from './wire/irc-connection.js';
import { type IrcServer } from './wire/irc-server.js';
import { type TokenStore } from './model/tokens.js';

/** What a fault did: what it acted on at once, and the id of what stays armed. */
export interface TwitchFaultReceipt {
  readonly id: string | null;
  /** Connections, or tokens that ended. */
  readonly affected: number;
}

/** What faults act on. */
export interface FaultTargets {
  readonly irc: IrcServer;
  readonly tokens: TokenStore;
  readonly faults: FaultRules<ArmedFault>;
}

/**
 * Causes a fault, at once or armed until it is healed.
 * @throws ZodError for one that does not exist
 */
export function causeFault(
  input: TwitchFaultInput,
  { irc, tokens, faults }: FaultTargets,
): TwitchFaultReceipt {
  const fault = twitchFaultSchema.parse(input);
  const quieten = (login: string | undefined, act: (connection: IrcConnection) => void): number => {
    const targets = irc.targets(login);
    for (const connection of targets) act(connection);
    return targets.length;
  };
  switch (fault.kind) {
    case 'drop':
    case 'reconnect':
      return { id: null, affected: irc.apply(fault) };
    case 'expire-tokens':
      return { id: null, affected: tokens.expire(fault.login, fault.refreshTokens) };
    case 'half-open':
      return {
        affected: quieten(fault.login, (connection) => connection.freeze()),
        id: fault.newConnections ? faults.arm(fault) : null,
      };
    case 'silent':
      return {
        affected: fault.openConnections ? quieten(undefined, (connection) => connection.mute()) : 0,
        id: faults.arm(fault),
      };
    default:
      return { id: faults.arm(armedFaultSchema.parse(fault)), affected: 0 };
  }
}
