import { type FakeConnector } from './fake-connector.js';

/** A flaw, the case of the contract that must find it, and a connector that has it and is sound otherwise. */
export type BrokenConnector = readonly [flaw: string, caseName: string, connector: typeof FakeConnector];
