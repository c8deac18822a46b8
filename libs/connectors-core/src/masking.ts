const PHONE = /(\+\d{1,4})\d{3,10}(\d{4})(?!\d)/g;

/** Hides the middle of each phone number in a text: `+15551234567` -> `+1555***4567`. */
export function maskPhoneNumbers(text: string): string {
  return text.replace(PHONE, '$1***$2');
}
