import { ManualClock } from '@bitbrat/foundation/testing';
import { type LogFields } from './bot.js';
import { cureFor, withCures } from './bus-faults.js';

const LOCAL = { projectId: 'local', emulatorHost: '127.0.0.1:8085', prefix: '' };
const CLOUD = { projectId: 'shop', emulatorHost: undefined, prefix: '' };

describe('what to do about a fault of the bus', () => {
  it.each([
    [
      '14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 127.0.0.1:8085',
      LOCAL,
      /npm run bus/,
    ],
    ['4 DEADLINE_EXCEEDED: Deadline exceeded', LOCAL, /nothing answers at 127\.0\.0\.1:8085/],
    ['Could not load the default credentials. Browse to …', CLOUD, /gcloud auth application-default login/],
    [
      '7 PERMISSION_DENIED: User not authorized to perform this action.',
      CLOUD,
      /roles\/pubsub\.editor in the project shop/,
    ],
    ['NOT_FOUND topic "internal.ingress.v1" is missing: make it with …', CLOUD, /start the gateway/],
  ])('%s', (said, settings, expected) => {
    expect(cureFor(said, settings)).toMatch(expected);
  });

  it('is nothing where only waiting helps', () => {
    expect(cureFor('14 UNAVAILABLE: the service is currently unavailable', CLOUD)).toBeUndefined();
  });
});

describe('events of the bus', () => {
  it('are passed on with what to do, the same one once a minute', async () => {
    const clock = new ManualClock();
    const warnings: LogFields[] = [];
    const ignore = (): void => undefined;
    const add = (_event: string, fields: LogFields = {}): void => void warnings.push(fields);
    const logger = withCures({ debug: ignore, info: ignore, warn: add, error: ignore }, LOCAL, clock);
    const error = '14 UNAVAILABLE';
    for (const seconds of [1, 1, 59]) {
      logger.warn('bus.subscribe.failing', { topic: 't', error });
      await clock.advance(seconds * 1000);
    }
    logger.warn('bus.subscribe.failing', { topic: 't', error });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatchObject({
      topic: 't',
      error,
      cure: expect.stringContaining('npm start') as string,
    });
  });
});
