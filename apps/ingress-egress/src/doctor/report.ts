import { type DiagnosisRow, type DiagnosisStatus, type Environment } from '@bitbrat/connectors-core';

/** One check of the doctor. */
export interface DoctorRow extends DiagnosisRow {
  /** What was looked at: `settings`, `service`, `bus`, `state`, or a connector's name. */
  readonly area: string;
}

/** How many checks ended how. */
export type Counts = Readonly<Record<DiagnosisStatus, number>>;

/** Counts rows by status. */
export function count(rows: readonly DoctorRow[]): Counts {
  const of = (status: DiagnosisStatus): number => rows.filter((row) => row.status === status).length;
  return { ok: of('ok'), warning: of('warning'), fault: of('fault') };
}

/** Variables whose values are secrets, by name. */
const SECRET_NAME = /TOKEN|SECRET|PASSWORD|CREDENTIAL/;

/** Shorter values are words and numbers (`TWILIO_TOKEN_TTL_SECONDS=3600`), no secrets. */
const SHORTEST_SECRET = 8;

/** The secrets of an environment, longest first. */
export function secretsOf(environment: Environment): string[] {
  return Object.entries(environment)
    .flatMap(([name, value = '']) => (SECRET_NAME.test(name) ? [value.trim().replace(/^oauth:/i, '')] : []))
    .filter((value) => value.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);
}

/** What stands in a terminal comes from platforms, too: nothing in it may steer the terminal. */
const CONTROL = /\p{Cc}+/gu;

/** The row as it may be shown: on one line a field, and without a secret, should a platform's answer repeat one. */
export function toShown(row: DoctorRow, secrets: readonly string[]): DoctorRow {
  const clean = (text: string): string =>
    secrets.reduce((shown, secret) => shown.replaceAll(secret, '[redacted]'), text).replaceAll(CONTROL, ' ');
  return {
    area: row.area,
    check: clean(row.check),
    status: row.status,
    found: clean(row.found),
    ...(row.cure === undefined ? {} : { cure: clean(row.cure) }),
  };
}

const CHECK_WIDTH = 28;
const STATUS_WIDTH = 9;

/** One check as lines for people. */
export function formatRow({ check, cure, found, status }: DoctorRow): string {
  const line = `  ${status.padEnd(STATUS_WIDTH)}${check.padEnd(CHECK_WIDTH)} ${found}`;
  return cure === undefined ? line : `${line}\n${' '.repeat(2 + STATUS_WIDTH + CHECK_WIDTH)} -> ${cure}`;
}

/** The last line. */
export function formatSummary({ fault, ok, warning }: Counts): string {
  const many = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  return `${ok} ok, ${many(warning, 'warning')}, ${many(fault, 'fault')}`;
}
