import fc from 'fast-check';
import { busSettings, planHouse } from './house-plan.js';

describe('planHouse', () => {
  it.each<[string, Record<string, string>, object]>([
    ['nothing', {}, { kind: 'local', port: 8_085 }],
    ['empty settings', { MESSAGE_BUS_DRIVER: '', BUS_PORT: ' ' }, { kind: 'local', port: 8_085 }],
    ['a port', { BUS_PORT: '9000' }, { kind: 'local', port: 9_000 }],
    ['the memory bus', { MESSAGE_BUS_DRIVER: 'memory' }, { kind: 'memory' }],
    [
      'an emulator',
      { MESSAGE_BUS_DRIVER: 'pubsub', PUBSUB_EMULATOR_HOST: 'localhost:9' },
      { kind: 'emulator', host: 'localhost:9', projectId: 'local' },
    ],
    [
      'an emulator with a project',
      { MESSAGE_BUS_DRIVER: 'pubsub', PUBSUB_EMULATOR_HOST: 'localhost:9', GOOGLE_CLOUD_PROJECT: 'mine' },
      { kind: 'emulator', host: 'localhost:9', projectId: 'mine' },
    ],
    [
      'a project',
      { MESSAGE_BUS_DRIVER: 'pubsub', GOOGLE_CLOUD_PROJECT: 'mine' },
      { kind: 'google-cloud', projectId: 'mine' },
    ],
    ['Pub/Sub, but no server of it', { MESSAGE_BUS_DRIVER: 'pubsub' }, { kind: 'local', port: 8_085 }],
    ['a bot’s settings', { PUBSUB_EMULATOR_HOST: '127.0.0.1:8085' }, { kind: 'local', port: 8_085 }],
  ])('takes the bus of %s', (_name, environment, bus) => {
    expect(planHouse(environment, false).bus).toEqual(bus);
  });

  it.each<[string, Record<string, string>, number]>([
    ['the emulator', { PUBSUB_EMULATOR_HOST: 'localhost:9' }, 1],
    ['the project', { GOOGLE_CLOUD_PROJECT: 'mine' }, 1],
    ['both', { PUBSUB_EMULATOR_HOST: 'localhost:9', GOOGLE_CLOUD_PROJECT: 'mine' }, 2],
    ['neither', {}, 0],
    ['its own', { PUBSUB_EMULATOR_HOST: '127.0.0.1:8085', GOOGLE_CLOUD_PROJECT: 'local' }, 0],
  ])('says that the local bus leaves %s unused', (_name, environment, count) => {
    const { notes } = planHouse(environment, false);
    expect(notes).toHaveLength(count);
    for (const note of notes) expect(note).toMatch(/is not used: set MESSAGE_BUS_DRIVER=pubsub/);
  });

  it.each<[string | undefined, boolean, string]>([
    [undefined, false, 'true'],
    [undefined, true, 'false'],
    ['false', false, 'false'],
    ['true', false, 'true'],
    ['true', true, 'false'],
    // What is no flag is the schema's to refuse.
    ['no', false, 'no'],
  ])('ECHO_BOT_ENABLED=%s and --no-echo=%s make %s', (value, noEcho, expected) => {
    const environment = value === undefined ? {} : { ECHO_BOT_ENABLED: value };
    expect(planHouse(environment, noEcho).settings['ECHO_BOT_ENABLED']).toBe(expected);
  });

  it('hands on no setting of a real platform, and listens on this machine alone', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.stringMatching(/^(?:TWILIO|TWITCH|DISCORD|STATE|FIRESTORE)_[A-Z_]{1,20}$/),
          fc.string(),
        ),
        (environment) => {
          const { settings } = planHouse({ ...environment, HOST: '0.0.0.0' }, false);
          expect(Object.keys(settings).filter((name) => name in environment)).toEqual([]);
          expect(settings['HOST']).toBe('127.0.0.1');
        },
      ),
    );
  });

  it.each(['PORT', 'SANDBOX_PORT', 'BUS_PORT'])('names %s where it is no port', (variable) => {
    expect(() => planHouse({ [variable]: 'x' }, false)).toThrow(`${variable}: expected a port`);
  });
});

describe('busSettings', () => {
  it.each([
    [{ kind: 'local', port: 0 } as const, '127.0.0.1:7'],
    [{ kind: 'emulator', host: '127.0.0.1:7', projectId: 'local' } as const, undefined],
  ])('are the address and the project of %j', (bus, address) => {
    expect(busSettings(bus, address)).toEqual({
      PUBSUB_EMULATOR_HOST: '127.0.0.1:7',
      GOOGLE_CLOUD_PROJECT: 'local',
    });
  });
});
