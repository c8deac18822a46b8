import { type z } from 'zod';
import { type FaultReceipt, type FaultRules, type FaultView } from '../fault-rules.js';
import { type ArmedFault, armedFaultSchema, type FaultInput, faultSchema } from './fault-schema.js';
import { type GatewayServer } from './wire/gateway-server.js';
import { type HeldReplies } from './wire/held-replies.js';

/** Causes faults and heals them, on the open sockets and by rules for what is to come. */
export class FaultSwitch {
  constructor(
    private readonly rules: FaultRules<ArmedFault>,
    private readonly gateway: GatewayServer,
    private readonly heldReplies: HeldReplies,
  ) {}

  /** Causes a fault, at once or armed until it is healed. Throws a `ZodError` for one that does not exist. */
  inject(input: FaultInput): FaultReceipt {
    const fault: z.output<typeof faultSchema> = faultSchema.parse(input);
    switch (fault.kind) {
      case 'refuse-connections':
      case 'no-hello':
      case 'no-heartbeat-ack':
      case 'refuse-session':
      case 'resume-url':
      case 'drop-after-ready':
      case 'request':
        return { id: this.rules.arm(armedFaultSchema.parse(fault)), sockets: 0 };
      case 'guild-outage': {
        const id = this.rules.arm(armedFaultSchema.parse(fault));
        this.gateway.beginOutage(fault.guildId);
        return { id, sockets: 0 };
      }
      default:
        return { id: null, sockets: this.gateway.apply(fault) };
    }
  }

  /** The armed faults, oldest first. */
  list(): readonly FaultView<ArmedFault>[] {
    return this.rules.list();
  }

  /**
   * Disarms one fault, or all without an id, and returns how many there were.
   *
   * All: silent sockets are reset too, as a network that comes back resets what it has forgotten.
   */
  heal(id?: string): number {
    const outages = this.rules
      .list()
      .flatMap(({ fault }) => (fault.kind === 'guild-outage' ? [fault.guildId] : []));
    const healed = this.rules.heal(id);
    for (const guildId of outages) this.gateway.endOutage(guildId);
    if (id === undefined) {
      this.gateway.heal();
      this.heldReplies.drop();
    }
    return healed;
  }
}
