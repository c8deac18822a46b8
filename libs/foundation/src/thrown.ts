/** What is known of a thrown value, which may be anything: it may have no text, or throw when it is asked for one. Never throws. */
export function messageOf(reason: unknown): string {
  try {
    return String(reason instanceof Error ? reason.message : reason);
  } catch {
    return 'a value without text was thrown';
  }
}
