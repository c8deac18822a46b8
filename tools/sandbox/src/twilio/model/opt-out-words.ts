/** Words by which a phone opts out, Twilio's default list (advanced opt-out tutorial). */
const OPT_OUT = new Set(['STOP', 'UNSUBSCRIBE', 'END', 'QUIT', 'STOPALL', 'REVOKE', 'OPTOUT', 'CANCEL']);
/** Words by which it comes back. */
const OPT_IN = new Set(['START', 'YES', 'UNSTOP']);

/** What an inbound text does to its sender's consent: true = opted out, false = opted in, undefined = nothing. */
export function readOptOut(body: string): boolean | undefined {
  const word = body.trim().toUpperCase();
  if (OPT_OUT.has(word)) return true;
  return OPT_IN.has(word) ? false : undefined;
}
