/** Something that breaks a rule, and how it is mended. */
export interface Finding {
  /** Relative to the workspace's root. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The rule in a few words: `disabled test`. */
  readonly rule: string;
  readonly message: string;
  /** What a person does about it. */
  readonly cure: string;
}

/** A finding as a person reads it; editors turn `file:line` into a link. */
export function formatFinding({ cure, file, line, message, rule }: Finding): string {
  return `${file}:${line}  ${rule}: ${message}\n    cure: ${cure}`;
}

/** The line, from 1, in which `needle` first stands; 1 where it does not. */
export function lineOf(text: string, needle: string): number {
  const index = text.indexOf(needle);
  return index === -1 ? 1 : text.slice(0, index).split('\n').length;
}
