import { setTimeout as delay } from 'node:timers/promises';
import { type BusProxy } from '../bus-proxy.js';
import { type Fault } from '../fault.js';
import { type ServiceProcess } from '../service-process.js';

/** Milliseconds of load while the bus is away and before the service dies, so that it has something in hand. */
const GATHER_MS = 1_500;

/** What can happen to the service's process. */
export function serviceFaults(service: ServiceProcess, proxy: BusProxy): readonly Fault[] {
  const start = (): Promise<void> => service.start();
  return [
    {
      name: 'service.kill',
      weight: 3,
      lastsMs: [200, 4_000],
      quick: true,
      cause: async () => {
        await service.kill();
        return start;
      },
    },
    {
      name: 'service.terminate',
      weight: 3,
      lastsMs: [200, 4_000],
      quick: true,
      cause: async () => {
        await service.terminate();
        return start;
      },
    },
    {
      // Everything that it has read and not yet published dies with it.
      name: 'service.kill-while-bus-is-away',
      weight: 2,
      lastsMs: [500, 3_000],
      quick: true,
      cause: async () => {
        proxy.state.hanging = true;
        await delay(GATHER_MS);
        await service.kill();
        proxy.state.hanging = false;
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
        service.freeze();
        return () => {
          service.thaw();
        };
      },
    },
  ];
}
