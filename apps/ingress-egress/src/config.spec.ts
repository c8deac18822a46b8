import { readSettings } from './composition.js';
import { ConfigError } from './config.js';

function faultsOf(environment: Record<string, string>): Record<string, string> {
  try {
    readSettings(environment);
    return {};
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.faults.map(({ variable, expected }) => [variable, expected]));
  }
}

describe('readSettings', () => {
  it('runs with nothing set: no connector, the memory bus', () => {
    const { connectors, service } = readSettings({});
    expect(connectors).toEqual([]);
    expect(service).toMatchObject({
      port: 3_000,
      logLevel: 'info',
      bus: { driver: 'memory', prefix: '' },
      echoBot: false,
    });
  });

  it('takes empty variables for unset ones', () => {
    expect(readSettings({ PORT: '', BUS_PREFIX: ' ' }).service.port).toBe(3_000);
  });

  it.each([
    [{ PORT: 'http' }, 'PORT', 'expected a port, a whole number from 0 to 65535'],
    [{ PORT: '65536' }, 'PORT', 'expected a port, a whole number from 0 to 65535'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL', 'expected debug, info, warn, error or silent'],
    [{ MESSAGE_BUS_DRIVER: 'kafka' }, 'MESSAGE_BUS_DRIVER', 'expected memory or pubsub'],
    [{ MESSAGE_BUS_DRIVER: 'pubsub' }, 'GOOGLE_CLOUD_PROJECT', 'expected the Google Cloud project'],
    [{ EGRESS_INSTANCE_ID: 'a/b' }, 'EGRESS_INSTANCE_ID', 'expected letters, digits'],
    [{ BUS_PREFIX: 'goog-' }, 'BUS_PREFIX', 'expected letters, digits'],
    [{ DEBUG_TOKEN: 'short' }, 'DEBUG_TOKEN', 'expected at least 16 characters'],
    [{ DEBUG_TOKEN: 'überüberüberüber1' }, 'DEBUG_TOKEN', 'printable ASCII'],
    [{ DEBUG_TOKEN: '0123456789\nabcdef' }, 'DEBUG_TOKEN', 'printable ASCII'],
    [{ FIRESTORE_COLLECTION: '..' }, 'FIRESTORE_COLLECTION', 'expected the name of a collection'],
    [{ FIRESTORE_COLLECTION: '__x__' }, 'FIRESTORE_COLLECTION', 'expected the name of a collection'],
    [{ ECHO_BOT_ENABLED: 'yes' }, 'ECHO_BOT_ENABLED', 'expected true or false'],
  ])('names the fault in %j', (environment, variable, expected) => {
    expect(faultsOf(environment as Record<string, string>)[variable]).toContain(expected);
  });

  const addresses = [
    'http://localhost:8085',
    'localhost',
    'localhost:',
    ':8085',
    'localhost:0',
    'localhost:65536',
    'localhost:8085/',
    'local host:8085',
    '::1:8085',
    'a@b:8085',
    'localhost:80x',
    '-x:1',
  ];
  it.each(addresses)('refuses %j as the address of an emulator', (address) => {
    const expected = expect.stringContaining('expected host:port without a scheme') as string; // a matcher stands for a string
    expect(faultsOf({ PUBSUB_EMULATOR_HOST: address, FIRESTORE_EMULATOR_HOST: address })).toEqual({
      PUBSUB_EMULATOR_HOST: expected,
      FIRESTORE_EMULATOR_HOST: expected,
    });
  });

  it.each(['localhost:8085', '127.0.0.1:1', '[::1]:8085', 'pub_sub.internal:65535', 'EMULATOR:8085', ''])(
    'takes %j as the address of an emulator',
    (address) => {
      expect(faultsOf({ PUBSUB_EMULATOR_HOST: address, FIRESTORE_EMULATOR_HOST: address })).toEqual({});
    },
  );

  it.each([
    'My Project',
    'projects/x',
    'UPPER',
    'a_b',
    '-a',
    'a-',
    '..',
    'x\ny',
    'ü',
    'example.com:',
    'a'.repeat(64),
  ])('refuses %j as a project', (project) => {
    const faults = faultsOf({ MESSAGE_BUS_DRIVER: 'pubsub', GOOGLE_CLOUD_PROJECT: project });
    expect(faults['GOOGLE_CLOUD_PROJECT']).toContain('expected the id of a Google Cloud project');
  });

  it.each(['local', 'bitbrat-prod-1', 'example.com:bitbrat', '123456789012', 'a', 'demo-x'])(
    'takes %j as a project',
    (project) => {
      expect(faultsOf({ MESSAGE_BUS_DRIVER: 'pubsub', GOOGLE_CLOUD_PROJECT: project })).toEqual({});
    },
  );

  it('tells what one variable demands of another beside the faults of the variables themselves', () => {
    const faults = faultsOf({ PORT: 'x', MESSAGE_BUS_DRIVER: 'pubsub', STATE_STORE_DRIVER: 'firestore' });
    expect(faults).toEqual({
      PORT: 'expected a port, a whole number from 0 to 65535',
      GOOGLE_CLOUD_PROJECT:
        'expected the Google Cloud project, because MESSAGE_BUS_DRIVER is pubsub and STATE_STORE_DRIVER is firestore',
    });
  });

  it('lists the faults of the service and of every enabled connector at once', () => {
    const faults = faultsOf({
      PORT: 'x',
      LOG_LEVEL: 'x',
      TWILIO_ENABLED: 'true',
      TWILIO_ACCOUNT_SID: 'nonsense',
    });
    expect(Object.keys(faults)).toEqual(
      expect.arrayContaining([
        'PORT',
        'LOG_LEVEL',
        'TWILIO_ACCOUNT_SID',
        'TWILIO_AUTH_TOKEN',
        'TWILIO_API_KEY',
      ]),
    );
  });

  it('never shows a value, which may be a secret', () => {
    const secret = 'nonsense-that-is-secret';
    const environment = { TWILIO_ENABLED: 'true', TWILIO_API_KEY: secret, DEBUG_TOKEN: 'tiny-secret' };
    expect(() => readSettings(environment)).toThrow(ConfigError);
    expect(JSON.stringify(faultsOf(environment))).not.toMatch(/nonsense-that|tiny-secret/);
  });
});
