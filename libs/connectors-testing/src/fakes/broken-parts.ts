import { type ConnectorError, toErrorInfo } from '@bitbrat/connectors-core';
import { type BrokenConnector } from './broken-connector.js';
import { FakeConnector } from './fake-connector.js';

const CASE = 'a part that fails is reported as a problem while the others work, and solved';

/** Flaws in dealing with a part that fails by itself. */
export const brokenParts: readonly BrokenConnector[] = [
  [
    'keeps to itself that a part fails',
    CASE,
    class extends FakeConnector {
      protected override problem(): void {
        // It waits until somebody asks why nothing comes.
      }
    },
  ],
  [
    'fails as a whole when a part fails',
    CASE,
    class extends FakeConnector {
      protected override problem(_channel: string, error: ConnectorError): void {
        this.setState({ status: 'failed', since: 'then', error: toErrorInfo(error), hint: error.hint });
      }
    },
  ],
  [
    'never takes a problem back',
    CASE,
    class extends FakeConnector {
      protected override solved(): void {
        // Once a problem, always a problem.
      }
    },
  ],
];
