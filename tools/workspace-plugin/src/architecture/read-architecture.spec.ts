import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyOverlay } from './architecture.js';
import { parseArchitecture, readArchitecture } from './read-architecture.js';
import { createView } from '../workspace/workspace-view.js';

const TEXT = readFileSync(join(__dirname, '../../../../architecture.yaml'), 'utf8');
const SCHEMA = readFileSync(join(__dirname, 'architecture.schema.json'), 'utf8');

const faultsOf = (text: string): string[] => {
  const result = parseArchitecture(text, SCHEMA);
  return result.ok ? [] : result.findings.map(({ cure, line, message }) => `${line}: ${message} (${cure})`);
};

/** The file with one change, which must take. */
function changed(from: string | RegExp, to: string): string {
  const text = TEXT.replace(from, to);
  expect(text === TEXT).toBe(false);
  return text;
}

describe('parseArchitecture', () => {
  it("reads the repository's own file", () => {
    const result = parseArchitecture(TEXT, SCHEMA);
    expect(result).toMatchObject({ ok: true, architecture: { service: { name: 'ingress-egress' } } });
  });

  it.each([
    ['broken YAML', /^version: 1$/m, 'version: [1', /correct the YAML/],
    ['a missing part', /^overlays:[\s\S]*/m, '', /^1: the file has no overlays \(add overlays\)$/],
    [
      'an unknown key',
      "default: '3000'",
      "defualt: '3000'",
      /^\d+: variables\.ingress-egress\.0 has an unknown key defualt \(correct its spelling or remove it; known keys: name, type,/,
    ],
    ['a number for a default', "default: '3000'", 'default: 3000', /default is no string .*quote numbers/],
    [
      'an unknown type',
      'type: integer',
      'type: number',
      /^\d+: variables\.ingress-egress\.0\.type has a value that is not known \(use one of \[string,integer,/,
    ],
    [
      'a name in lower case',
      'name: PORT',
      'name: port',
      /variables\.ingress-egress\.0\.name is not written as expected/,
    ],
    ['an enum without values', 'values: [memory, pubsub]', '', /has no values \(add values\)/],
    [
      'values without an enum',
      'type: integer',
      'type: integer\n      values: [a, b]',
      /values does not belong here/,
    ],
    [
      'a subscription on a topic that is published',
      'message: EgressOutcome',
      'message: EgressOutcome\n    subscription: { name: a, expiresAfterSeconds: 86400 }',
      /subscription does not belong here/,
    ],
    [
      'a subscription that expires too soon',
      'expiresAfterSeconds: 86400',
      'expiresAfterSeconds: 60',
      /must be >= 86400/,
    ],
    [
      'a variable twice',
      'name: HOST',
      'name: PORT',
      /PORT stands twice, before under ingress-egress \(remove one of the two\)/,
    ],
    [
      'a default that does not fit the type',
      "default: '3000'",
      "default: '99999'",
      /PORT has a default that does not fit: expected a whole number from 0 to 65535/,
    ],
    [
      'a default that no enum has',
      'default: memory',
      'default: nats',
      /MESSAGE_BUS_DRIVER has a default that does not fit: expected memory, pubsub/,
    ],
    [
      'a secret with a default',
      'name: DEBUG_TOKEN',
      "name: DEBUG_TOKEN\n      default: 'sixteen-characters'",
      /DEBUG_TOKEN is a secret with a default/,
    ],
    [
      'required with a default',
      "default: '3000'",
      "default: '3000'\n      requiredWhen: always",
      /PORT has a default and is required/,
    ],
    [
      'a condition on an unknown variable',
      'requiredWhen: MESSAGE_BUS_DRIVER is',
      'requiredWhen: BUS_DRIVER is',
      /is required by BUS_DRIVER, which is unknown/,
    ],
    [
      'a secret that Secret Manager does not have',
      /^.*secret: discord-bot-token.*\n/m,
      '',
      /DISCORD_BOT_TOKEN is a secret that secrets does not list \(add \{ variable: DISCORD_BOT_TOKEN, secret: discord-bot-token \} to secrets\)/,
    ],
    [
      'a listed secret that is none',
      'variable: DISCORD_BOT_TOKEN, secret',
      'variable: DISCORD_CHANNELS, secret',
      /secrets has DISCORD_CHANNELS, which is no variable with secret: true/,
    ],
    [
      'a value of an unknown variable',
      'BUS_PREFIX: dev.',
      'BUS_PREFIXX: dev.',
      /BUS_PREFIXX is set but unknown/,
    ],
    [
      'a value of a secret',
      'BUS_PREFIX: dev.',
      'DEBUG_TOKEN: x',
      /DEBUG_TOKEN is a secret \(remove its value here/,
    ],
    [
      'a value that does not fit',
      "ECHO_BOT_ENABLED: 'true'",
      "ECHO_BOT_ENABLED: 'yes'",
      /ECHO_BOT_ENABLED has a value that does not fit \(use true or false\)/,
    ],
    [
      'a probe without endpoint',
      /liveness: \{ path: \/livez/,
      'liveness: { path: /alive',
      /the probe liveness asks \/alive, which is no endpoint/,
    ],
  ])('finds %s', (_what, from, to, expected) => {
    expect(faultsOf(changed(from, to)).join('\n')).toMatch(expected);
  });

  it('tells the line, and every fault at once', () => {
    const text = changed('name: PORT', 'name: port').replace('type: boolean', 'type: flag');
    const lines = faultsOf(text).map((fault) => Number(fault.split(':')[0]));
    const expected = text
      .split('\n')
      .flatMap((line, index) => (/name: port$|type: flag$/.test(line) ? [index + 1] : []));
    expect(lines).toEqual(expected);
  });
});

describe('readArchitecture', () => {
  it('says which file is missing', () => {
    const result = readArchitecture(createView({}));
    expect(result).toMatchObject({ ok: false, findings: [{ file: 'architecture.yaml' }] });
  });
});

describe('applyOverlay', () => {
  it('keeps what the overlay does not say', () => {
    const result = parseArchitecture(TEXT, SCHEMA);
    if (!result.ok) throw new Error('the file is not valid');
    const { deployment } = result.architecture;
    const dev = applyOverlay(result.architecture, 'dev');
    expect(dev.environment).toEqual({
      ...deployment.environment,
      ...result.architecture.overlays.dev.environment,
    });
    expect(dev.environment).toHaveProperty('BUS_PREFIX', 'dev.');
    expect(dev.scaling).toEqual(deployment.scaling);
  });
});
