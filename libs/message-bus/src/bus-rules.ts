import { BusError } from './message-bus.js';

/** Messages that may be with a handler at once, and publishes that may be under way, unless set. */
export const DEFAULT_MAX_IN_FLIGHT = 1000;

export const closedError = (): BusError => new BusError('CLOSED', 'the bus is closed');

export const abortedError = (): BusError =>
  new BusError('ABORTED', 'publishing was given up; the message may be published all the same');
