import { createHmac } from 'node:crypto';
import { checkToken } from './tokens.js';
import { twilioDefaults } from '../twilio-options.js';

const NOW = 1_800_000_000_000;
const HEADER = { alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' };
const CLAIMS = {
  iss: twilioDefaults.apiKey,
  sub: twilioDefaults.accountSid,
  iat: NOW / 1000 - 10,
  exp: NOW / 1000 + 60,
  grants: { identity: 'bot', chat: { service_sid: twilioDefaults.chatServiceSid } },
};

function sign(claims: object, header: object = HEADER, secret = twilioDefaults.apiSecret): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

describe('checkToken', () => {
  it('takes a good one', () => {
    expect(checkToken(sign(CLAIMS), twilioDefaults, NOW)).toEqual({
      ok: true,
      claims: { identity: 'bot', expiresAt: NOW + 60_000, issuedAt: NOW - 10_000 },
    });
  });

  it.each([
    ['no JWT', 'hello', 20101],
    ['another secret', sign(CLAIMS, HEADER, 'wrong'), 20101],
    ['algorithm none', `${sign(CLAIMS, { ...HEADER, alg: 'none' }).replace(/\.[^.]*$/, '')}.`, 20101],
    ['another algorithm', sign(CLAIMS, { ...HEADER, alg: 'HS512' }), 20101],
    ['no content type', sign(CLAIMS, { alg: 'HS256', typ: 'JWT' }), 20101],
    ['another issuer', sign({ ...CLAIMS, iss: 'SK1' }), 20101],
    ['another account', sign({ ...CLAIMS, sub: 'AC1' }), 20101],
    ['no identity', sign({ ...CLAIMS, grants: { ...CLAIMS.grants, identity: '' } }), 20101],
    ['no ChatGrant', sign({ ...CLAIMS, grants: { identity: 'bot' } }), 20101],
    [
      'another service',
      sign({ ...CLAIMS, grants: { identity: 'bot', chat: { service_sid: 'IS1' } } }),
      20101,
    ],
    ['a start in the future', sign({ ...CLAIMS, nbf: NOW / 1000 + 5 }), 20105],
    ['an issue in the future', sign({ ...CLAIMS, iat: NOW / 1000 + 5 }), 20105],
    ['an end a day ahead', sign({ ...CLAIMS, exp: NOW / 1000 + 86_401 }), 20104],
    ['an end that has come', sign({ ...CLAIMS, exp: NOW / 1000 }), 20104],
  ])('refuses %s', (_name, token, code) => {
    expect(checkToken(token, twilioDefaults, NOW)).toMatchObject({ ok: false, code });
  });
});
