import { accountEgress } from './account-egress.js';
import { accountIngress } from './account-ingress.js';
import { longGaps } from './gap-span.js';
import { type Facts } from '../facts.js';
import { type Verdict } from './verdict.js';

/** Accounts for every message of a run, both ways. Pure. */
export function account(facts: Facts): Verdict {
  const ingress = accountIngress(facts);
  const egress = accountEgress(facts);
  return {
    findings: [...ingress.findings, ...longGaps(facts), ...egress.findings],
    counts: { ...ingress.counts, ...egress.counts },
    healMs: egress.healMs,
  };
}
