import { parseAddress } from '../platform/address.js';

/** What a person's word does to their consent to get messages: takes it back, gives it, or asks for help. */
export type ConsentChange = 'out' | 'in' | 'help';

/** A text that is nothing but such a word. */
export interface ConsentWord {
  readonly consent: ConsentChange;
  /** In capitals. */
  readonly keyword: string;
}

/** Twilio's default words (advanced opt-out tutorial; REVOKE and OPTOUT since 2025). */
const WORDS: Readonly<Record<ConsentChange, readonly string[]>> = {
  out: ['STOP', 'UNSUBSCRIBE', 'END', 'QUIT', 'STOPALL', 'REVOKE', 'OPTOUT', 'CANCEL'],
  in: ['START', 'YES', 'UNSTOP'],
  help: ['HELP', 'INFO'],
};

const BY_WORD: ReadonlyMap<string, ConsentChange> = new Map([
  ...WORDS.out.map((word) => [word, 'out'] as const),
  ...WORDS.in.map((word) => [word, 'in'] as const),
  ...WORDS.help.map((word) => [word, 'help'] as const),
]);

/** Whether consent is a matter of this address: a phone's, by SMS or WhatsApp. */
export function isPhoneAddress(author: string): boolean {
  const { channelType } = parseAddress(author);
  return channelType === 'sms' || channelType === 'whatsapp';
}

/** The word that a message of a phone consists of; undefined for any other message. */
export function readConsent(author: string | null, body: string | null): ConsentWord | undefined {
  if (!isPhoneAddress(author ?? '')) return undefined;
  const keyword = (body ?? '').trim().toUpperCase();
  const consent = BY_WORD.get(keyword);
  return consent === undefined ? undefined : { consent, keyword };
}
