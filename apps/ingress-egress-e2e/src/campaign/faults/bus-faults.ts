import { waitUntil } from '../../support/wait-until.js';
import { type BusProxy } from '../machinery/bus-proxy.js';
import { type BusWatch } from '../load/bus-watch.js';
import { type CampaignBus } from '../machinery/campaign-bus.js';
import { type Fault } from '../fault.js';

/** Milliseconds that the service gets to settle what it has, before the bus is emptied. */
const SETTLE_MS = 20_000;
/** Milliseconds without a delivery after which nothing is left with the bus. */
const SILENCE_MS = 1_500;

export interface BusFaultParts {
  readonly bus: CampaignBus;
  readonly proxy: BusProxy;
  readonly watch: BusWatch;
  /** Milliseconds since the run began. */
  readonly now: () => number;
}

/** What can happen to the bus, as the service sees it; the campaign's own bot is spared. */
export function busFaults(parts: BusFaultParts): readonly Fault[] {
  const { proxy } = parts;
  return [
    {
      name: 'bus.cut',
      severs: true,
      weight: 3,
      lastsMs: [0, 0],
      quick: true,
      cause: () => {
        proxy.cut();
        return undefined;
      },
    },
    {
      name: 'bus.refuse',
      severs: true,
      weight: 2,
      lastsMs: [1_000, 10_000],
      quick: true,
      cause: () => {
        proxy.state.refusing = true;
        proxy.cut();
        return () => {
          proxy.state.refusing = false;
        };
      },
    },
    {
      name: 'bus.hang',
      weight: 2,
      lastsMs: [1_000, 15_000],
      quick: true,
      cause: () => {
        proxy.state.hanging = true;
        return () => {
          proxy.state.hanging = false;
        };
      },
    },
    {
      name: 'bus.slow',
      weight: 2,
      lastsMs: [2_000, 10_000],
      quick: true,
      cause: ({ random }) => {
        proxy.state.delayMs = random.int(50, 1_000);
        return () => {
          proxy.state.delayMs = 0;
        };
      },
    },
    {
      name: 'bus.empty',
      weight: 1,
      lastsMs: [500, 4_000],
      quick: false,
      cause: () => emptyBus(parts),
    },
  ];
}

/**
 * Kills the bus, which then has neither topics nor subscriptions. What it had taken and not yet delivered
 * would be gone, too, for it has no disk; so the bot sends nothing meanwhile, and the service is
 * cut off and its last words are heard first. What people write meanwhile has to wait in the service.
 */
async function emptyBus({ bus, now, proxy, watch }: BusFaultParts): Promise<() => Promise<void>> {
  watch.hold();
  try {
    const isSettled = (): true | undefined => (watch.unsettled().length === 0 ? true : undefined);
    await waitUntil('all events settled', isSettled, SETTLE_MS);
    proxy.state.refusing = true;
    proxy.cut();
    const isSilent = (): true | undefined => (now() - watch.lastSeenAt > SILENCE_MS ? true : undefined);
    await waitUntil('the bus to be empty', isSilent, SETTLE_MS);
    await watch.flushed();
    await watch.disconnect();
  } catch (error) {
    proxy.state.refusing = false;
    watch.release();
    throw error;
  }
  await bus.kill();
  return async () => {
    await bus.restart();
    await watch.reconnect();
    proxy.state.refusing = false;
    await watch.waitForListener();
    watch.release();
  };
}
