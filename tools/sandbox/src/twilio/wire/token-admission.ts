import { type FaultRules } from '../../fault-rules.js';
import { type ArmedFault } from '../fault-schema.js';
import { checkToken, type TokenAuthority, type TokenClaims } from './tokens.js';

/** Why a token is not accepted, as it is told to the client. */
export interface AdmissionRefusal {
  readonly status: number;
  readonly code: number;
  readonly description: string;
  /** Milliseconds that the client is asked to wait before it comes back. */
  readonly reconnectMinMs: number | undefined;
}

/** The result of showing a token. */
export type Admission =
  | { readonly ok: true; readonly claims: TokenClaims }
  | { readonly ok: false; readonly refusal: AdmissionRefusal };

/** Decides on a token shown with `init` or `update`. `identity` is whose connection it is, '' when nobody's yet. */
export function admitToken(
  token: string,
  on: 'init' | 'update',
  identity: string,
  { authority, faults, now }: { authority: TokenAuthority; faults: FaultRules<ArmedFault>; now: number },
): Admission {
  const refuse = (status: number, code: number, description: string, reconnectMinMs?: number): Admission => ({
    ok: false,
    refusal: { status, code, description, reconnectMinMs },
  });
  const fault = faults.strike('refuse-token', (rule) => rule.on === on || rule.on === 'both');
  if (fault !== undefined) {
    return refuse(fault.status, fault.code, 'Refused by a fault of the sandbox', fault.reconnectMinMs);
  }
  const check = checkToken(token, authority, now);
  if (!check.ok) return refuse(401, check.code, check.description);
  if (identity !== '' && check.claims.identity !== identity) {
    return refuse(401, 20101, 'Invalid Access Token: it names another identity');
  }
  return check;
}
