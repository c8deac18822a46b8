import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import AccessToken from 'twilio/lib/jwt/AccessToken.js';
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

const now = (): number => Date.UTC(2026, 10, 20, 12, 0, 0, 500);

function decode(part: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Record<string, unknown>; // each field is compared
}

describe('TwilioTokenProvider', () => {
  it('makes a JWT with a chat grant, signed with the secret of the API key', () => {
    const provider = new TwilioTokenProvider(settings, now);
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

  it('never makes the same token twice, not in one second either', () => {
    const provider = new TwilioTokenProvider(settings, now);
    const tokens = Array.from({ length: 20 }, () => provider.mint());
    expect(new Set(tokens.map(({ jwt }) => jwt)).size).toBe(20);
    for (const { expiresAt } of tokens) expect(expiresAt).toBeLessThanOrEqual(now() + 600_000);
  });

  it("dates tokens by the platform's clock, never into its future, and ends them within a day of it", () => {
    const { jwt } = new TwilioTokenProvider({ ...settings, tokenTtlSeconds: 86_400 }, now).mint();
    const { exp, iat } = decode(jwt.split('.')[1]);
    expect(Number(iat) * 1_000).toBeLessThanOrEqual(now() - 1_000);
    expect(Number(exp) * 1_000).toBeLessThanOrEqual(now() + 86_400_000 - 30_000);
  });

  it("has the claims of the vendor's own tokens", () => {
    const vendor = new AccessToken(settings.accountSid, settings.apiKey, settings.apiSecret, {
      identity: 'bot',
      ttl: 600,
    });
    vendor.addGrant(new AccessToken.ChatGrant({ serviceSid: settings.chatServiceSid }));
    const parts = (jwt: string): unknown[] => {
      const [header, payload] = jwt.split('.').slice(0, 2).map(decode);
      return [header, { ...payload, iat: 0, exp: 0, jti: String(payload?.['jti']).replace(/-\d+$/, '') }];
    };
    expect(parts(new TwilioTokenProvider(settings, now).mint().jwt)).toEqual(parts(vendor.toJwt()));
  });

  it('shows no secret when it is logged', () => {
    const provider = new TwilioTokenProvider(settings, now);
    expect(inspect(provider, { depth: 5, showHidden: true })).not.toContain(settings.apiSecret);
    expect(JSON.stringify(provider)).not.toContain(settings.apiSecret);
  });
});
