import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';

/** Larger than any environment that a system takes. */
const MAX_BYTES = 1_048_576;

/** The file of settings is there, but cannot be used. Holds no line of it: there are secrets in it. */
export class EnvFileError extends Error {
  override readonly name = 'EnvFileError';
}

/**
 * Sets the variables of a `.env` file that the environment does not have; those that it has win, empty ones too.
 *
 * A file that is missing is no fault. To be called by a `main.ts` before anything reads the environment.
 * @param environment `process.env`, which libraries read, too
 * @param path as the process sees it: `.env` is that of the folder in which the process was started
 * @throws EnvFileError for a file that cannot be read, or that has a line which is neither setting nor comment
 */
export function loadEnvFile(environment: Record<string, string | undefined>, path = '.env'): void {
  const text = readText(path);
  if (text === undefined) return;
  const line = malformedLine(text);
  if (line !== undefined) {
    throw new EnvFileError(`${path} has a fault in line ${line}: expected NAME=value or a comment (#)`);
  }
  for (const [name, value] of Object.entries(parseEnv(text))) environment[name] ??= value;
}

function readText(path: string): string | undefined {
  try {
    const stat = statSync(path);
    // A pipe would be waited for.
    if (!stat.isFile()) throw new EnvFileError(`${path} cannot be read: it is not a file`);
    if (stat.size > MAX_BYTES) throw new EnvFileError(`${path} cannot be read: it has more than 1 MiB`);
    const bytes = readFileSync(path);
    if (!isUtf8(bytes)) throw new EnvFileError(`${path} cannot be read: it is not UTF-8 text`);
    return bytes.toString();
  } catch (error) {
    if (error instanceof EnvFileError) throw error;
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT') return undefined;
    throw new EnvFileError(`${path} cannot be read: ${code}`);
  }
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_.-]*[ \t]*=[ \t]*(.*)$/;

/**
 * The number of the first line that Node would skip without a word; undefined where there is none. Pure.
 * Quoted values may have several lines.
 */
export function malformedLine(text: string): number | undefined {
  const lines = text.split(/\r\n|\n|\r/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (/^[ \t]*(?:#|$)/.test(line)) continue;
    const [, value] = ASSIGNMENT.exec(line) ?? [];
    if (value === undefined || line.includes('\0')) return index + 1;
    const quote = /^["'`]/.exec(value)?.[0];
    if (quote === undefined || value.includes(quote, 1)) continue;
    const end = lines.findIndex((later, at) => at > index && later.includes(quote));
    if (end === -1) return index + 1;
    index = end;
  }
  return undefined;
}
