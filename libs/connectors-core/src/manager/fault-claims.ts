import { type LogFields, type Logger, messageOf } from '@bitbrat/foundation';
import { type IConnector } from '../connector.js';
import { ConnectorError } from '../connector-error.js';
import { type ConnectorScopes } from './connector-scopes.js';
import { isRejectionHandler, type RejectionHandler } from './rejection-handler.js';

/** How an error reached the process, as Node names it. */
export type FaultOrigin = 'uncaughtException' | 'unhandledRejection';

/** A connector that may be at fault. */
interface Suspect {
  readonly connector: IConnector;
  /** As `ConnectorScope.life`. */
  readonly life: number;
  fail(error: ConnectorError): void;
}

/** Lines of a stack that are logged. */
const STACK_LINES = 12;

/** Finds out which connector left an error to the process, and limits the damage to it. */
export class FaultClaims {
  constructor(
    private readonly suspects: ReadonlyMap<string, Suspect>,
    private readonly scopes: ConnectorScopes,
    private readonly logger: Logger,
  ) {}

  /**
   * To be called in the process's handler itself, where the scope of the error is the current one.
   *
   * 1. The scope names a connector. A call that is open fails alone. What an earlier life has left is only logged.
   *    Otherwise the connector is started again.
   * 2. Without a scope, a connector that recognises its SDK's error claims it.
   *
   * @returns the connector; undefined where the error is nobody's
   */
  claim(reason: unknown, origin: FaultOrigin): string | undefined {
    const scope = this.scopes.current;
    const owner = scope === undefined ? undefined : this.suspects.get(scope.connector);
    const [name, suspect] =
      scope !== undefined && owner !== undefined ? [scope.connector, owner] : this.#recognise(reason);
    if (name === undefined || suspect === undefined) return undefined;
    const message = messageOf(reason);
    const fields = { connector: name, reason: message, ...stackOf(reason) };
    if (scope?.call?.isOpen() === true) {
      this.#warn(origin, { ...fields, consequence: 'the call failed' });
      scope.call.fail(new ConnectorError('INTERNAL', `an exception escaped: ${message}`, { cause: reason }));
    } else if (isLeftover(suspect, reason) || (scope !== undefined && scope.life !== suspect.life)) {
      this.logger.debug('connector.leftover-error', { ...fields, origin });
    } else {
      this.#warn(origin, { ...fields, consequence: 'the connector is started again' });
      suspect.fail(
        new ConnectorError('UPSTREAM_UNAVAILABLE', `an error escaped from the connector: ${message}`, {
          cause: reason,
        }),
      );
    }
    return name;
  }

  #recognise(reason: unknown): readonly [string, Suspect] | readonly [] {
    return (
      [...this.suspects].find(
        ([, { connector }]) => isRejectionHandler(connector) && recognises(connector, reason),
      ) ?? []
    );
  }

  #warn(origin: FaultOrigin, fields: LogFields): void {
    const { logger } = this;
    if (origin === 'uncaughtException') logger.warn('connector.uncaught-exception', fields);
    else logger.warn('connector.unhandled-rejection', fields);
  }
}

function isLeftover({ connector }: Suspect, reason: unknown): boolean {
  if (!isRejectionHandler(connector) || !recognises(connector, reason)) return false;
  return isTrue(() => connector.isLeftover?.(reason) === true);
}

function recognises(connector: RejectionHandler, reason: unknown): boolean {
  return isTrue(() => connector.claimRejection(reason));
}

/** A connector that cannot tell says no: the reason may throw when it is looked at. */
function isTrue(judge: () => boolean): boolean {
  try {
    return judge();
  } catch {
    return false;
  }
}

function stackOf(reason: unknown): LogFields {
  try {
    const stack: unknown = reason instanceof Error ? reason.stack : undefined;
    return typeof stack === 'string' ? { stack: stack.split('\n', STACK_LINES).join('\n') } : {};
  } catch {
    return {};
  }
}
