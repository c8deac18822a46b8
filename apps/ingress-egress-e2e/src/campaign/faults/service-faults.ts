import { setTimeout as delay } from 'node:timers/promises';
import { type BusProxy } from '../machinery/bus-proxy.js';
import { type CampaignPlatform } from '../campaign-platform.js';
import { type Fault, type Heal } from '../fault.js';
import { type Burst } from '../load/load-driver.js';
import { type Random } from '../random.js';
import { type ServiceFleet } from '../machinery/service-fleet.js';

/**
 * Milliseconds of load while the bus is away and before the service dies, so that it has something in hand.
 */
const GATHER_MS = 1_500;

/** Events that wait when the service ends: more than Twitch takes in its window of 30 s. */
const BACKLOG: readonly [number, number] = [20, 30];
/** Events that come twice to two processes at once. */
const PAIRS: readonly [number, number] = [12, 24];
/**
 * Milliseconds that a platform takes for a message meanwhile: long enough for the other process to have its
 * copy.
 */
const SLOW_SEND_MS = 500;

/** What the faults of the service's process act on. */
export interface ServiceFaultParts {
  readonly fleet: ServiceFleet;
  readonly proxy: BusProxy;
  readonly platforms: readonly CampaignPlatform[];
  /** Lets a bot send much at once. */
  readonly burst: (burst: Burst) => void;
}

/** What can happen to the service's process. */
export function serviceFaults({ burst, fleet, platforms, proxy }: ServiceFaultParts): readonly Fault[] {
  const start = (): Promise<void> => fleet.current.start();
  const gather = async (random: Random): Promise<void> => {
    const names = platforms.map(({ name }) => name);
    burst({
      count: random.int(...BACKLOG),
      isPaired: false,
      platform: random.pick(names),
      platforms: names,
      random,
    });
    await delay(GATHER_MS);
  };
  return [
    {
      name: 'service.kill',
      severs: true,
      weight: 3,
      lastsMs: [200, 4_000],
      quick: true,
      cause: async () => {
        await fleet.current.kill();
        return start;
      },
    },
    {
      name: 'service.terminate',
      severs: true,
      weight: 3,
      lastsMs: [200, 4_000],
      quick: true,
      cause: async () => {
        await fleet.current.terminate();
        return start;
      },
    },
    {
      // Everything that it has read and not yet published dies with it.
      name: 'service.kill-while-bus-is-away',
      severs: true,
      weight: 2,
      lastsMs: [500, 3_000],
      quick: true,
      cause: async () => {
        proxy.state.hanging = true;
        await delay(GATHER_MS);
        await fleet.current.kill();
        proxy.state.hanging = false;
        return start;
      },
    },
    {
      // With twenty answers and more to one or two destinations in hand.
      name: 'service.restart-with-backlog',
      severs: true,
      weight: 2,
      lastsMs: [200, 3_000],
      quick: false,
      cause: async ({ random }) => {
        await gather(random);
        await (random.chance(0.5) ? fleet.current.kill() : fleet.current.terminate());
        return start;
      },
    },
    {
      name: 'service.freeze',
      isStandstill: true,
      weight: 1,
      lastsMs: [1_000, 12_000],
      quick: true,
      cause: () => {
        fleet.current.freeze();
        return () => {
          fleet.current.thaw();
        };
      },
    },
  ];
}

/** What two processes side by side can do to each other: same instance id, same accounts, one store. */
export function deployFaults({ burst, fleet, platforms }: ServiceFaultParts): readonly Fault[] {
  const row = (what: string, end: () => Promise<void>): Fault => ({
    name: `service.${what}`,
    isOverlap: true,
    weight: 2,
    lastsMs: [3_000, 10_000],
    quick: true,
    cause: async ({ random }) => {
      await fleet.deploy();
      const heals: Heal[] = platforms.map((platform) => platform.slowSends(SLOW_SEND_MS));
      const names = platforms.map(({ name }) => name);
      burst({ count: random.int(...PAIRS), isPaired: true, platform: undefined, platforms: names, random });
      return async () => {
        await end();
        for (const heal of heals) await heal();
      };
    },
  });
  return [
    row('deploy', () => fleet.finish('terminate')),
    row('deploy-killed', () => fleet.finish('kill')),
    row('rollback', () => fleet.rollBack()),
  ];
}
