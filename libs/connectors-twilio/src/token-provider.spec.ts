import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { TwilioTokenProvider } from './token-provider.js';

const HEX = '0123456789abcdef0123456789abcdef';
const settings = {
  accountSid: `AC${HEX}`,
  apiKey: `SK${HEX}`,
  apiSecret: 'example-api-secret',
  chatServiceSid: `IS${HEX}`,
  identity: 'bot',
  tokenTtlSeconds: 600,
};

function decode(part: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Record<string, unknown>; // each field is compared
}

describe('TwilioTokenProvider', () => {
  it('makes a JWT with a chat grant, signed with the secret of the API key', async () => {
    const provider = await TwilioTokenProvider.load(settings);
    const { expiresAt, jwt } = provider.mint();
    const [header, payload, signature] = jwt.split('.');
    expect(decode(header)).toEqual({ alg: 'HS256', cty: 'twilio-fpa;v=1', typ: 'JWT' });
    const claims = decode(payload);
    expect(claims).toMatchObject({
      iss: settings.apiKey,
      sub: settings.accountSid,
      grants: { identity: 'bot', chat: { service_sid: settings.chatServiceSid } },
    });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(600);
    expect(expiresAt).toBe(Number(claims['exp']) * 1000);
    const expected = createHmac('sha256', settings.apiSecret).update(`${header ?? ''}.${payload ?? ''}`);
    expect(signature).toBe(expected.digest('base64url'));
  });

  it('never makes the same token twice, not in one second either', async () => {
    const provider = await TwilioTokenProvider.load(settings);
    const tokens = Array.from({ length: 20 }, () => provider.mint());
    expect(new Set(tokens.map(({ jwt }) => jwt)).size).toBe(20);
    const now = Date.now();
    for (const { expiresAt } of tokens) expect(expiresAt).toBeLessThanOrEqual(now + 600_000);
  });

  it('shows no secret when it is logged', async () => {
    const provider = await TwilioTokenProvider.load(settings);
    expect(inspect(provider, { depth: 5, showHidden: true })).not.toContain(settings.apiSecret);
    expect(JSON.stringify(provider)).not.toContain(settings.apiSecret);
  });
});
