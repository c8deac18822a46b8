/** What the service holds at one moment of rest. */
export interface Sample {
  /** Messages that people had written. */
  readonly messages: number;
  /** Seconds since the soak began. */
  readonly seconds: number;
  /** Resident memory in MiB, before garbage was collected. */
  readonly rssMb: number;
  /** JavaScript's heap after garbage collection, in MiB. */
  readonly heapMb: number;
  /** Buffers outside of the heap, in MiB. */
  readonly buffersMb: number;
  /** What keeps the process alive, by kind: timers, sockets, ... */
  readonly resources: Readonly<Record<string, number>>;
  /** Listeners, by the class of whoever has them. */
  readonly listeners: Readonly<Record<string, number>>;
  readonly topics: number;
  readonly subscriptions: number;
}

/** The figures of a sample that must not grow, by name. */
export function figuresOf({ listeners, resources, ...sample }: Sample): Record<string, number> {
  return {
    'RSS, MiB': sample.rssMb,
    'heap after GC, MiB': sample.heapMb,
    'buffers, MiB': sample.buffersMb,
    timers: resources['Timeout'] ?? 0,
    sockets: (resources['TCPSocketWrap'] ?? 0) + (resources['TLSWrap'] ?? 0),
    'other resources': sum(resources) - (resources['Timeout'] ?? 0) - (resources['TCPSocketWrap'] ?? 0),
    listeners: sum(listeners),
    topics: sample.topics,
    subscriptions: sample.subscriptions,
  };
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
