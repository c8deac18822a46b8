import { BotError } from './bot-error.js';
import { checkBot, readBusSettings, readLimits } from './settings.js';

const faultOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof BotError && error.code === 'INVALID_OPTION') return error.message;
    throw error;
  }
  return 'none';
};

describe('the settings of the bus', () => {
  it.each([
    [
      'an emulator',
      { PUBSUB_EMULATOR_HOST: '127.0.0.1:8085', GOOGLE_CLOUD_PROJECT: 'local' },
      { projectId: 'local', emulatorHost: '127.0.0.1:8085', prefix: '' },
    ],
    [
      'Google Cloud, with variables that are set to nothing',
      { PUBSUB_EMULATOR_HOST: ' ', GOOGLE_CLOUD_PROJECT: '', GCLOUD_PROJECT: 'p', BUS_PREFIX: '' },
      { projectId: 'p', emulatorHost: undefined, prefix: '' },
    ],
    [
      'an address as a person or gcloud writes it',
      { PUBSUB_EMULATOR_HOST: 'http://[::1]:8085/', GOOGLE_CLOUD_PROJECT: 'p', BUS_PREFIX: 'dev.' },
      { projectId: 'p', emulatorHost: '[::1]:8085', prefix: 'dev.' },
    ],
  ])('reads %s', (_what, environment, expected) => {
    expect(readBusSettings(environment)).toEqual(expected);
  });

  it.each([
    ['nothing', {}, /PUBSUB_EMULATOR_HOST=127\.0\.0\.1:8085 GOOGLE_CLOUD_PROJECT=local/],
    ['no project', { PUBSUB_EMULATOR_HOST: 'localhost:1' }, /^GOOGLE_CLOUD_PROJECT is not set.*"local"/],
    ['no port', { PUBSUB_EMULATOR_HOST: 'localhost' }, /^PUBSUB_EMULATOR_HOST: expected host:port/],
    ['a path', { PUBSUB_EMULATOR_HOST: 'https://a:1/b' }, /^PUBSUB_EMULATOR_HOST: expected host:port/],
    ['a prefix', { GOOGLE_CLOUD_PROJECT: 'p', BUS_PREFIX: 'a/b' }, /^BUS_PREFIX: expected/],
  ])('says what to do about %s', (_what, environment, expected) => {
    expect(faultOf(() => readBusSettings(environment))).toMatch(expected);
  });
});

describe('the options', () => {
  it.each(['concurrency', 'attempts', 'timeoutMs', 'drainMs'] as const)('refuses %s out of range', (name) => {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(faultOf(() => readLimits({ [name]: value }))).toMatch(new RegExp(`^${name}: expected`));
    }
    expect(readLimits({ [name]: 7 })).toMatchObject({ [name]: 7 });
  });

  it.each(['', 'Orders', 'orders-', '-orders', 'a b', 'a/b', '1a', 'a'.repeat(64)])(
    'refuses the name %j',
    (name) => {
      expect(faultOf(() => checkBot({ name, onMessage: () => undefined }))).toMatch(/^name: use lower-case/);
    },
  );

  it('refuses a bot without its handler', () => {
    const bot = { name: 'orders', onMessage: undefined as unknown as () => void }; // as from JavaScript
    expect(faultOf(() => checkBot(bot))).toBe('onMessage: expected a function');
  });
});
