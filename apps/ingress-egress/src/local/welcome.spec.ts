import { type RunningHouse, welcome } from './welcome.js';

const house: RunningHouse = {
  serviceUrl: 'http://127.0.0.1:3000',
  sandboxUrl: 'http://127.0.0.1:4010',
  isDefaultSandbox: true,
  bus: { kind: 'local', port: 8_085 },
  busAddress: '127.0.0.1:8085',
  hasEcho: true,
  notes: [],
  seconds: 2.04,
};

describe('welcome', () => {
  it('shows what runs where, and three ways to go on', () => {
    const text = welcome(house);
    for (const part of [
      '(2.0 s)',
      'http://127.0.0.1:3000',
      'http://127.0.0.1:4010',
      '127.0.0.1:8085   the local bus',
      'echo',
      '  npm run chat -- sms\n',
      '  PUBSUB_EMULATOR_HOST=127.0.0.1:8085 GOOGLE_CLOUD_PROJECT=local python3 docs/examples/echo_bot.py\n',
      'docs/writing-a-bot.md',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('prints commands that find a sandbox on another port', () => {
    const text = welcome({ ...house, sandboxUrl: 'http://127.0.0.1:5501', isDefaultSandbox: false });
    const commands = text.split('\n').filter((line) => line.includes('npm run') && !line.includes('echo;'));
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) expect(command).toContain('--url http://127.0.0.1:5501');
  });

  it.each([
    [{ kind: 'memory' } as const, 'no bot can join'],
    [{ kind: 'emulator', host: 'h:1', projectId: 'p' } as const, 'h:1   an emulator of Pub/Sub, project p'],
    [{ kind: 'google-cloud', projectId: 'p' } as const, 'Google Cloud Pub/Sub, project p'],
  ])('says which bus it is: %j', (bus, expected) => {
    expect(welcome({ ...house, bus, busAddress: undefined })).toContain(expected);
  });

  it('says that messages wait where there is no bot, and every note', () => {
    const text = welcome({ ...house, hasEcho: false, notes: ['one', 'two'] });
    expect(text).toContain('none yet');
    expect(text).toMatch(/note {6}one\n {2}note {6}two\n/);
  });
});
