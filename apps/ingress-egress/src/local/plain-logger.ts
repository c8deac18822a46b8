import { type ServiceLogger } from '../logging/logger.js';

/** What is expected on a laptop, or said there in other words. */
const EXPECTED: ReadonlySet<string> = new Set(['http.debug-open', 'bus.topic.unread']);

/** The same logger without the warnings that are for an operator of a deployed service. */
export function withoutExpected(operators: ServiceLogger): ServiceLogger {
  return {
    ...operators,
    warn: (event, fields) => {
      if (!EXPECTED.has(event)) operators.warn(event, fields);
    },
  };
}
