import { type FaultReceipt, type FaultRules, type FaultView } from '../fault-rules.js';
import { type ArmedFault, type FaultInput, faultSchema } from './fault-schema.js';
import { parseInput } from './control/parse-input.js';
import { type TwilsockServer } from './wire/twilsock-server.js';

/** Causes faults and heals them, on the open sockets and by rules for what is to come. */
export class FaultSwitch {
  constructor(
    private readonly rules: FaultRules<ArmedFault>,
    private readonly sockets: TwilsockServer,
  ) {}

  /** Causes a fault, at once or armed until it is healed. Throws `ApiError` 400 for one that does not exist. */
  inject(input: FaultInput): FaultReceipt {
    const fault = parseInput(faultSchema, input);
    switch (fault.kind) {
      case 'drop':
      case 'close-frame':
      case 'token-about-to-expire':
      case 'raw':
        return { id: null, sockets: this.sockets.apply(fault) };
      case 'half-open': {
        const sockets = this.sockets.freeze(fault.identity);
        return { id: fault.newConnections ? this.rules.arm(fault) : null, sockets };
      }
      case 'refuse-connections':
      case 'refuse-token':
      case 'token-life':
      case 'request':
      case 'lose-push':
      case 'no-replay':
      case 'webhook':
        return { id: this.rules.arm(fault), sockets: 0 };
    }
  }

  /** The armed faults, oldest first. */
  list(): readonly FaultView<ArmedFault>[] {
    return this.rules.list();
  }

  /**
   * Disarms one fault, or all without an id, and returns how many there were.
   *
   * Healing all also resets the silent sockets, as a network that comes back resets what it has forgotten.
   */
  heal(id?: string): number {
    const healed = this.rules.heal(id);
    if (id === undefined) this.sockets.resetSilent();
    return healed;
  }
}
