import { parseArgs } from 'node:util';
import { type Environment } from '@bitbrat/connectors-core';
import { type Clock } from '@bitbrat/foundation';
import { Doctor } from './doctor.js';
import { count, type DoctorRow, formatRow, formatSummary, secretsOf, toShown } from './report.js';

/** Exit codes. */
export const EXIT = { healthy: 0, faults: 1, notRun: 2 } as const;

export const USAGE = `Says why the service would not work, and what to do about it.

  npm run doctor -- [options]

Reads the environment as the service does, then looks at the settings, this machine, the bus, the state store and each
enabled connector: credentials, addresses, rights. No message is sent and no setting is changed. In passing it makes a topic of
the service's own, where it is missing, and a subscription that Pub/Sub removes after a day; and on Twitch the bot is in its
channels for a moment. It may run beside the service.

options
  --json     one JSON object: rows (area, check, status, found, cure) and counts
  --help     this

Statuses: ok; warning: it works, and you should know; fault: it does not work. Each check has 10 seconds, the WebSocket of Twilio 15.
Exit codes: 0 no fault; 1 faults; 2 not run, because of wrong arguments or a fault of the doctor's own.
`;

/** What the command needs from the process around it. */
export interface DoctorCliServices {
  readonly environment: Environment;
  readonly clock: Clock;
  readonly nodeVersion: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Shows what is looked at now, and with an empty text nothing; does nothing where nobody watches. */
  readonly progress: (text: string) => void;
  /** Aborted when the person gives up. */
  readonly signal: AbortSignal;
}

/** One run of the command. */
export interface DoctorRun {
  /** The exit code; never rejects. */
  readonly exitCode: Promise<number>;
  /** For the process's `unhandledRejection`: whether it was an SDK's. */
  claimRejection(reason: unknown): boolean;
}

/** Runs the doctor. @param argv without the program's name */
export function runDoctor(argv: readonly string[], services: DoctorCliServices): DoctorRun {
  const { clock, nodeVersion, progress } = services;
  const onArea = (area: string): void => {
    progress(`looking at ${area} …`);
  };
  const doctor = new Doctor({ clock, nodeVersion, onArea });
  return {
    exitCode: run(argv, doctor, services),
    claimRejection: (reason) => doctor.claimRejection(reason),
  };
}

async function run(argv: readonly string[], doctor: Doctor, services: DoctorCliServices): Promise<number> {
  const { environment, err, out, progress, signal } = services;
  try {
    const { help, json } = parse(argv);
    if (help) {
      out(USAGE);
      return EXIT.healthy;
    }
    const secrets = secretsOf(environment);
    const rows: DoctorRow[] = [];
    for await (const found of doctor.examine(environment, signal)) {
      const row = toShown(found, secrets);
      progress('');
      if (!json) out(`${row.area === rows.at(-1)?.area ? '' : `${row.area}\n`}${formatRow(row)}\n`);
      rows.push(row);
    }
    progress('');
    const counts = count(rows);
    out(json ? `${JSON.stringify({ rows, counts }, null, 2)}\n` : `\n${formatSummary(counts)}\n`);
    return counts.fault === 0 && !signal.aborted ? EXIT.healthy : EXIT.faults;
  } catch (error) {
    progress('');
    err(`doctor: ${error instanceof Error ? error.message : String(error)}\ntry --help\n`);
    return EXIT.notRun;
  }
}

function parse(argv: readonly string[]): { readonly help: boolean; readonly json: boolean } {
  const { values } = parseArgs({
    args: [...argv],
    options: { help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' } },
  });
  return { help: values.help === true, json: values.json === true };
}
