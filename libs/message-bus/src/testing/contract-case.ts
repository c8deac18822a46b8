import { type MessageBus, type OutgoingMessage } from '../message-bus.js';
import { Recorder } from './recorder.js';

/** What the contract suite needs to know of a driver. */
export interface BusHarness {
  readonly bus: MessageBus;
  /** How long a case waits for what must happen, in milliseconds. */
  readonly patienceMs: number;
  /**
   * Whether a nacked message comes again before the later ones of its ordering key that were not handed out yet.
   * The memory bus does; Google's emulator does not, though the service does.
   */
  readonly redeliversInOrder: boolean;
  /** Frees what the harness holds, the bus included. */
  dispose(): Promise<void>;
}

export type CreateBusHarness = () => Promise<BusHarness>;

/** One promise of the port, and how it is seen to hold. */
export interface ContractCase {
  readonly name: string;
  /** Rejects when the bus does not hold it. */
  run(harness: BusHarness): Promise<void>;
}

let names = 0;

/** Names that no other case has used, in this process or another. */
export function freshNames(): { topic: string; subscription: string; otherSubscription: string } {
  const unique = `${process.pid}-${Date.now().toString(36)}-${++names}`;
  return {
    topic: `contract-topic-${unique}`,
    subscription: `contract-a-${unique}`,
    otherSubscription: `contract-b-${unique}`,
  };
}

export function textMessage(text: string, orderingKey?: string): OutgoingMessage {
  const data = Buffer.from(text, 'utf8');
  return { data, attributes: { kind: 'test' }, ...(orderingKey === undefined ? {} : { orderingKey }) };
}

export const recorderFor = (harness: BusHarness): Recorder => new Recorder(harness.patienceMs);

/** How long a case lets the bus close, in milliseconds. */
export const CLOSE_MS = 5000;
