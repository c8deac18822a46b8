import { type z } from 'zod';
import { type CliArguments, parseCliArguments, USAGE, UsageError } from './cli-arguments.js';
import { formatDetail, formatList, formatReport } from './cli-output.js';
import { letterDetailSchema, letterListSchema, replayReportSchema } from './letter-api.js';

/** Longer than the service takes to gather letters that the bus lets wait. */
const REQUEST_MS = 150_000;

/** Exit codes; those from 64 are of sysexits.h. */
export const EXIT = { done: 0, refused: 1, usage: 64, unavailable: 69 } as const;

export interface CliServices {
  readonly fetch: typeof fetch;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** The service cannot be used; the message names the cause and the cure. */
class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** Runs one command against the running service. Resolves with the exit code; never rejects. */
export async function runCli(argv: readonly string[], services: CliServices): Promise<number> {
  try {
    return await run(parseCliArguments(argv), services);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    services.err(`dead-letters: ${message}\n`);
    if (!(error instanceof UsageError)) return EXIT.unavailable;
    services.err('try --help\n');
    return EXIT.usage;
  }
}

async function run(args: CliArguments, services: CliServices): Promise<number> {
  const { command, json } = args;
  const print = <T>(value: T, format: (value: T) => string): void => {
    services.out(`${json ? JSON.stringify(value, null, 2) : format(value)}\n`);
  };
  switch (command.kind) {
    case 'help':
      services.out(USAGE);
      return EXIT.done;
    case 'list':
      print(await ask(args, services, letterListSchema, ''), formatList);
      return EXIT.done;
    case 'show': {
      const path = `/${encodeURIComponent(command.id)}${command.full ? '?full=true' : ''}`;
      const detail = await ask(args, services, letterDetailSchema.nullable(), path);
      if (detail === null) {
        services.err(`no letter ${command.id} waits: see list; it may have been replayed\n`);
        return EXIT.refused;
      }
      print(detail, formatDetail);
      return EXIT.done;
    }
    case 'replay': {
      const report = await ask(args, services, replayReportSchema, '/replay', command.selection);
      print(report, formatReport);
      return report.refused.length === 0 ? EXIT.done : EXIT.refused;
    }
    default:
      return command satisfies never;
  }
}

/** The service's answer; null where it says that the letter does not wait. */
async function ask<T>(
  { token, url }: CliArguments,
  services: CliServices,
  schema: z.ZodType<T>,
  path: string,
  body?: object,
): Promise<T> {
  const response = await services
    .fetch(`${url}/_debug/dead-letters${path}`, {
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    .catch((cause: unknown) => {
      throw new UnavailableError(
        `nothing answers at ${url} (${reasonOf(cause)}): start the service, or name where it runs with --url`,
        { cause },
      );
    });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.status === 404 && hasCode(answer, 'NOT_WAITING')) return schema.parse(null);
  if (!response.ok) throw new UnavailableError(explain(response.status, answer, url, token));
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new UnavailableError(
    `${url} answers otherwise than this command expects: is it ingress-egress, in this version?`,
  );
}

function explain(status: number, answer: unknown, url: string, token: string | undefined): string {
  if (status === 404) {
    const cure =
      token === undefined
        ? 'set DEBUG_TOKEN for the service and for this command, or have the service listen on loopback alone (HOST=127.0.0.1)'
        : 'the token is not its DEBUG_TOKEN, or it has none';
    return `${url} shows no dead letters (404): ${cure}`;
  }
  const reason =
    typeof answer === 'object' && answer !== null && 'error' in answer && typeof answer.error === 'string'
      ? `: ${answer.error}`
      : '';
  return `${url} answers ${status}${reason}`;
}

const hasCode = (answer: unknown, code: string): boolean =>
  typeof answer === 'object' && answer !== null && 'code' in answer && answer.code === code;

/** `fetch` says `fetch failed`; what failed stands in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return error.message;
}
