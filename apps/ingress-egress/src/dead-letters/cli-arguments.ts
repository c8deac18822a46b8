import { parseArgs } from 'node:util';
import { type ReplaySelection } from './letter-api.js';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'list' }
  | { readonly kind: 'show'; readonly id: string; readonly full: boolean }
  | { readonly kind: 'replay'; readonly selection: ReplaySelection };

export interface CliArguments {
  readonly command: Command;
  /** Base URL of the service. */
  readonly url: string;
  /** `DEBUG_TOKEN` of the service, where it has one. */
  readonly token: string | undefined;
  readonly json: boolean;
}

/** The arguments cannot be understood; the message says what was expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `Dead letters: what could not be sent or read, and another try for it.

  npx nx run ingress-egress:dead-letters -- <command> [options]

commands
  list                    what waits, oldest first
  show ID [--full]        one letter; --full shows the text and whole phone numbers
  replay ID...            publish the messages of these letters again and take the letters away
  replay --reason CODE    the same for all with this error code, e.g. TIMEOUT

options
  --url URL               the running service; default http://$HOST:$PORT, 127.0.0.1 and 3000 unless set
  --token TOKEN           the service's DEBUG_TOKEN, where it has one; default $DEBUG_TOKEN
  --json                  what the service answers, as JSON
  --help                  this

A replay that is repeated sends nothing twice. Letters keep waiting until they are replayed or the bus drops them.
Exit codes: 0 done; 1 a letter does not wait or was refused; 64 wrong arguments; 69 the service cannot be used.
`;

/** @param argv without the program's name @throws UsageError */
export function parseCliArguments(argv: readonly string[]): CliArguments {
  const { positionals, values } = parse(argv);
  const [name, ...ids] = positionals;
  const command = values.help === true ? { kind: 'help' as const } : toCommand(name, ids, values);
  return {
    command,
    url: toBaseUrl(values.url ?? 'http://127.0.0.1:3000'),
    token: values.token === '' ? undefined : values.token,
    json: values.json === true,
  };
}

type Values = ReturnType<typeof parse>['values'];

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        full: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        reason: { type: 'string' },
        token: { type: 'string' },
        url: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function toCommand(name: string | undefined, ids: readonly string[], { full, reason }: Values): Command {
  if (reason !== undefined && name !== 'replay') throw new UsageError('--reason goes with replay only');
  if (full === true && name !== 'show') throw new UsageError('--full goes with show only');
  switch (name) {
    case undefined:
      throw new UsageError('expected a command: list, show or replay');
    case 'list':
      if (ids.length > 0) throw new UsageError('list takes no ids: did you mean show?');
      return { kind: 'list' };
    case 'show': {
      const [id, more] = ids;
      if (id === undefined || more !== undefined) throw new UsageError('show expects one id');
      return { kind: 'show', id, full: full === true };
    }
    case 'replay':
      if (ids.length > 0 === (reason !== undefined)) {
        throw new UsageError('replay expects ids or --reason CODE, one of the two');
      }
      return { kind: 'replay', selection: reason === undefined ? { ids: [...ids] } : { reason } };
    default:
      throw new UsageError(`there is no command ${name}: expected list, show or replay`);
  }
}

function toBaseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new UsageError(`--url: expected a URL like http://127.0.0.1:3000, got ${text}`);
  }
  return text.replace(/\/+$/, '');
}
