import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../../json.js';

/** Whose signature and service a token must carry. */
export interface TokenAuthority {
  readonly accountSid: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly chatServiceSid: string;
}

/** What a token says once it has been checked. `expiresAt` and `issuedAt` are milliseconds since the epoch. */
export interface TokenClaims {
  readonly identity: string;
  readonly expiresAt: number;
  readonly issuedAt: number;
}

/** Why a token is refused, in Twilio's words and codes: 20104 expired or too long a life, 20105 not valid yet, 20101 anything else. */
export interface TokenRefusal {
  readonly code: 20101 | 20104 | 20105;
  readonly description: string;
}

/** The result of a check. */
export type TokenCheck =
  { readonly ok: true; readonly claims: TokenClaims } | ({ readonly ok: false } & TokenRefusal);

/** Milliseconds from now within which a token must end (error page 20104). */
const MAX_LIFE_MS = 24 * 3_600_000;

const headerSchema = z.object({ alg: z.literal('HS256'), cty: z.string().regex(/^twilio-fpa;v=1$/) });
const payloadSchema = z.object({
  iss: z.string(),
  sub: z.string(),
  exp: z.number(),
  iat: z.number().optional(),
  nbf: z.number().optional(),
  grants: z.object({
    identity: z.string().min(1),
    chat: z.object({ service_sid: z.string() }),
  }),
});

/** Checks an access token as Twilio does: signature, issuer, account, life, ChatGrant and identity. */
export function checkToken(token: string, authority: TokenAuthority, nowMs: number): TokenCheck {
  const invalid = (reason: string): TokenCheck => ({
    ok: false,
    code: 20101,
    description: `Invalid Access Token: ${reason}`,
  });
  const [header = '', payload = '', signature = '', ...rest] = token.split('.');
  if (signature === '' || rest.length > 0) return invalid('not a JWT');
  if (!headerSchema.safeParse(decodePart(header)).success)
    return invalid('header is not HS256 twilio-fpa;v=1');
  const expected = createHmac('sha256', authority.apiSecret).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return invalid('the signature does not match the API secret');
  }
  const parsed = payloadSchema.safeParse(decodePart(payload));
  if (!parsed.success)
    return invalid(`claim ${parsed.error.issues[0]?.path.join('.') ?? ''} is missing or wrong`);
  const { iss, sub, exp, iat, nbf, grants } = parsed.data;
  if (iss !== authority.apiKey) return invalid('the issuer is not the API key');
  if (sub !== authority.accountSid) return invalid('the subject is not the account');
  if (grants.chat.service_sid !== authority.chatServiceSid)
    return invalid('the ChatGrant names another service');
  if (Math.max(nbf ?? 0, iat ?? 0) * 1000 > nowMs) {
    return { ok: false, code: 20105, description: 'Access Token not yet valid' };
  }
  if (exp * 1000 <= nowMs || exp * 1000 > nowMs + MAX_LIFE_MS) {
    return { ok: false, code: 20104, description: 'Access Token expired or expiration date invalid' };
  }
  const issuedAt = (iat ?? nbf) === undefined ? nowMs : (iat ?? nbf ?? 0) * 1000;
  return { ok: true, claims: { identity: grants.identity, expiresAt: exp * 1000, issuedAt } };
}

function decodePart(part: string): unknown {
  return parseJson(Buffer.from(part, 'base64url').toString('utf8'));
}
