/** E.164: 7 digits (the shortest in use) and more; in a URL or a form the plus sign is `%2B`. */
const PHONE = /((?:\+|%2B)\d{0,4})\d{3,}(\d{4})(?!\d)/gi;

/** Hides the middle of each phone number in a text, three digits at least: `+15551234567` -> `+1555***4567`. */
export function maskPhoneNumbers(text: string): string {
  return text.replace(PHONE, '$1***$2');
}
