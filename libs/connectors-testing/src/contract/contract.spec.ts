import { FakeConnector } from '../fakes/fake-connector.js';
import { createFakeHarness } from '../fakes/fake-harness.js';
import { describeConnectorContract } from './describe-contract.js';

describeConnectorContract('the fake connector', () =>
  Promise.resolve(createFakeHarness((...parts) => new FakeConnector(...parts))),
);
