import protobuf from 'protobufjs';
import { StatusError } from '../engine/status-error.js';

type Plain = Record<string, unknown>;

/** Messages nested deeper than this are refused; those of Pub/Sub's API have three levels. */
const MAX_DEPTH = 16;

const invalid = (path: string, expected: string): StatusError =>
  new StatusError('INVALID_ARGUMENT', `${path === '' ? 'the body' : path}: expected ${expected}`);

/**
 * Reads proto3's JSON form (protobuf.dev, "ProtoJSON Format"): bytes in base64, times in RFC 3339, durations as `10s`.
 * @throws StatusError `INVALID_ARGUMENT` that names the field
 */
export function fromJson(type: protobuf.Type, json: unknown, path = '', depth = 0): Plain {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid(path, 'an object');
  if (depth > MAX_DEPTH) throw invalid(path, 'fewer levels');
  const result: Plain = {};
  for (const [name, value] of Object.entries(json) as [string, unknown][]) {
    const field = type.fields[name] ?? type.fields[toCamelCase(name)];
    const at = path === '' ? name : `${path}.${name}`;
    if (field === undefined || !Object.hasOwn(type.fields, field.name)) {
      throw invalid(at, `a field of ${type.name}`);
    }
    if (value === null) continue;
    result[field.name] = readField(field, value, at, depth);
  }
  return result;
}

function readField(field: protobuf.Field, value: unknown, at: string, depth: number): unknown {
  if (field.map) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(at, 'an object');
    return Object.fromEntries(
      Object.entries(value).map(([key, item]: [string, unknown]) => [
        key,
        readValue(field, item, `${at}.${key}`, depth),
      ]),
    );
  }
  if (!field.repeated) return readValue(field, value, at, depth);
  if (!Array.isArray(value)) throw invalid(at, 'an array');
  return value.map((item: unknown, index) => readValue(field, item, `${at}[${index}]`, depth));
}

function readValue(field: protobuf.Field, value: unknown, at: string, depth: number): unknown {
  const { resolvedType, type } = field;
  if (resolvedType instanceof protobuf.Enum) {
    if (typeof value === 'string' && Object.hasOwn(resolvedType.values, value))
      return resolvedType.values[value];
    throw invalid(at, `one of ${Object.keys(resolvedType.values).join(', ')}`);
  }
  if (resolvedType instanceof protobuf.Type) return readMessage(resolvedType, value, at, depth);
  switch (type) {
    case 'string':
      if (typeof value === 'string') return value;
      throw invalid(at, 'a text');
    case 'bool':
      if (typeof value === 'boolean') return value;
      throw invalid(at, 'true or false');
    case 'bytes':
      if (typeof value === 'string' && /^[\w+/-]*={0,2}$/.test(value)) return Buffer.from(value, 'base64');
      throw invalid(at, 'base64');
    default: {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
      throw invalid(at, 'a whole number');
    }
  }
}

function readMessage(type: protobuf.Type, value: unknown, at: string, depth: number): unknown {
  switch (type.fullName) {
    case '.google.protobuf.Duration': {
      const match = typeof value === 'string' ? /^(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(value) : null;
      if (match === null) throw invalid(at, 'seconds, as in 3.5s');
      return { seconds: Number(match[1]), nanos: Number((match[2] ?? '').padEnd(9, '0')) };
    }
    case '.google.protobuf.Timestamp': {
      const ms = typeof value === 'string' ? Date.parse(value) : NaN;
      if (Number.isNaN(ms)) throw invalid(at, 'a time in RFC 3339');
      return toTimestamp(ms);
    }
    case '.google.protobuf.FieldMask':
      if (typeof value !== 'string') throw invalid(at, 'names of fields, separated by commas');
      return { paths: value.split(',').map(toSnakeCase) };
    default:
      return fromJson(type, value, at, depth + 1);
  }
}

/** Writes proto3's JSON form of what the bus answers. Fields without a value are left out. */
export function toJson(type: protobuf.Type, value: object): Plain {
  const entries = Object.entries(value) as [string, unknown][];
  return Object.fromEntries(
    entries.flatMap(([name, item]) => {
      const field = type.fields[name];
      return field === undefined || item === undefined || isDefault(item)
        ? []
        : [[name, writeField(field, item)]];
    }),
  );
}

function writeField(field: protobuf.Field, value: unknown): unknown {
  if (field.map) return value;
  if (field.repeated && Array.isArray(value)) return value.map((item: unknown) => writeValue(field, item));
  return writeValue(field, value);
}

function writeValue({ resolvedType, type }: protobuf.Field, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (type === 'int64' || type === 'uint64') return String(value);
  if (resolvedType instanceof protobuf.Enum) return resolvedType.valuesById[Number(value)];
  if (!(resolvedType instanceof protobuf.Type) || typeof value !== 'object' || value === null) return value;
  switch (resolvedType.fullName) {
    case '.google.protobuf.Duration': {
      const { nanos = 0, seconds = 0 } = value as { seconds?: number; nanos?: number }; // a Duration's fields
      return `${seconds + nanos / 1e9}s`;
    }
    case '.google.protobuf.Timestamp': {
      const { nanos = 0, seconds = 0 } = value as { seconds?: number; nanos?: number }; // a Timestamp's fields
      return new Date(seconds * 1000 + nanos / 1e6).toISOString();
    }
    default:
      return toJson(resolvedType, value);
  }
}

/** A `google.protobuf.Timestamp`. @param ms since 1970 */
export function toTimestamp(ms: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** JSON leaves out what proto3 does not send. */
function isDefault(value: unknown): boolean {
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  return value === '' || value === 0 || value === false;
}

const toCamelCase = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());

const toSnakeCase = (path: string): string =>
  path.trim().replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
