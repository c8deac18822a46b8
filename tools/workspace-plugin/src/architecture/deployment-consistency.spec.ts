import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArchitecture } from './read-architecture.js';

const TEXT = readFileSync(join(__dirname, '../../../../architecture.yaml'), 'utf8');
const SCHEMA = readFileSync(join(__dirname, 'architecture.schema.json'), 'utf8');

describe('checkDeployment', () => {
  it.each([
    [
      'a required value that nobody gives',
      /^ +- DISCORD_GUILD_ID\n/m,
      '',
      /prod gives no value for DISCORD_GUILD_ID, which is required when DISCORD_ENABLED is true/,
    ],
    ['an unknown variable to give', '- TWILIO_API_KEY', '- TWILIO_KEY', /TWILIO_KEY is named but unknown/],
    [
      'a secret to give',
      '- TWILIO_API_KEY',
      '- TWILIO_AUTH_TOKEN\n    - TWILIO_API_KEY',
      /TWILIO_AUTH_TOKEN is a secret/,
    ],
    [
      'a subscription without topic',
      'topic: internal.ingress.v1,',
      'topic: internal.ingress.v2,',
      /a subscription reads internal\.ingress\.v2, which is no topic/,
    ],
    [
      'a policy without subscription',
      'subscription: internal.egress.v1.{instanceId}\n    topic',
      'subscription: internal.egress.v2\n    topic',
      /the dead-letter policy is for internal\.egress\.v2/,
    ],
    [
      'a condition on an unknown variable',
      'when: ECHO_BOT_ENABLED',
      'when: ECHO',
      /ECHO is named but unknown/,
    ],
    [
      'an image without version',
      'node:20.20.2-bookworm-slim',
      'node:latest',
      /nodeImage is not written as expected/,
    ],
  ])('finds %s', (_what, from, to, expected) => {
    const text = TEXT.replace(from, to);
    expect(text).not.toBe(TEXT);
    const result = parseArchitecture(text, SCHEMA);
    const faults = result.ok ? [] : result.findings.map(({ line, message }) => `${line}: ${message}`);
    expect(faults.join('\n')).toMatch(expected);
  });
});
