import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import specifications from '@asyncapi/specs';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { createContract } from './contract.js';
import { bytesOf, kindOf, parseExample } from './examples.js';
import { type JsonSchema } from './json-schema.js';
import { BUS_ATTRIBUTES, MESSAGE_KINDS } from './message-kinds.js';
import { createSchemas, schemaFileOf } from './schemas.js';

const FOLDER = join(__dirname, '../../../docs/contract');
const files = new Map(
  readdirSync(join(FOLDER, 'examples')).map((file) => [
    file.replace(/\.json$/, ''),
    readFileSync(join(FOLDER, 'examples', file), 'utf8'),
  ]),
);
const examples = [...files].map(([name, content]) => parseExample(name, content));
const contract = createContract(files);
const schemas = createSchemas();

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true });
addFormats.default(ajv);
ajv.addVocabulary(['x-direction', 'x-topic']);

/** What the committed JSON Schema of a file says against a value; '' where it takes it. */
function faultsOf(file: string, value: unknown): string {
  const validate = ajv.getSchema(schemas[file]?.['$id'] as string) ?? ajv.compile(schemas[file] ?? false); // our own $id
  return validate(value) ? '' : ajv.errorsText(validate.errors);
}

describe('examples', () => {
  it.each(examples)('$name is read by the library and valid against the JSON Schemas', (example) => {
    const kind = kindOf(example);
    expect(kind.read(bytesOf(example))).toMatchObject({ ok: true, value: example.body });
    expect(faultsOf(schemaFileOf(kind), example.body)).toBe('');
    expect(faultsOf(schemaFileOf(BUS_ATTRIBUTES), example.attributes)).toBe('');
  });

  it.each([
    ...['twilio-sms', 'twilio-mms', 'twilio-whatsapp', 'twilio-chat'],
    ...['twitch-message', 'twitch-action', 'twitch-cheer', 'twitch-reply', 'twitch-whisper'],
    ...['discord-message', 'discord-reply', 'discord-thread', 'discord-dm', 'discord-attachment'],
    ...['discord-edited', 'discord-deleted', 'egress-reply', 'dead-letter'],
    ...['outcome-sent', 'outcome-failed', 'outcome-suppressed', 'outcome-expired', 'outcome-unknown'],
    ...['status-connected', 'status-failed', 'status-gap'],
  ])('%s is there', (name) => {
    expect(files.has(name)).toBe(true);
  });

  it.each([
    [
      'an ordering key of another channel',
      { orderingKey: 'b99' },
      /twilio-sms\.json: orderingKey: expected "b17"/,
    ],
    [
      'attributes of another message',
      { attributes: { 'ce-id': 'x' } },
      /attributes: expected \{"ce-specversion"/,
    ],
    ['an unknown kind', { kind: 'Telegram' }, /twilio-sms\.json: .*kind/s],
    ['a body of another version', { body: { v: '2' } }, /twilio-sms\.json: UNKNOWN_VERSION/],
  ])('refuses %s by the name of the file', (_, change, message) => {
    const sms: unknown = JSON.parse(files.get('twilio-sms') ?? '');
    expect(() => parseExample('twilio-sms', JSON.stringify({ ...(sms as object), ...change }))).toThrow(
      message,
    ); // an object, as checked above
  });
});

describe('JSON Schemas', () => {
  const bodyOf = (name: string): object => examples.find((example) => example.name === name)?.body ?? {};
  const without = (body: object, field: string): object =>
    Object.fromEntries(Object.entries(body).filter(([name]) => name !== field));
  const sms = bodyOf('twilio-sms');
  const egress = bodyOf('egress-reply');
  const file = { url: 'https://files.example/a.png' };

  it.each([
    ['IngressEnvelope', 'an unknown version', { ...sms, v: '2' }, false],
    ['IngressEnvelope', 'no id', without(sms, 'id'), false],
    ['IngressEnvelope', 'an id of 251 characters', { ...sms, id: 'x'.repeat(251) }, false],
    ['IngressEnvelope', 'an unknown type', { ...sms, type: 'chat.message.pinned.v1' }, false],
    ['IngressEnvelope', 'an upper-case source', { ...sms, source: 'Twilio' }, false],
    ['IngressEnvelope', 'a local time', { ...sms, occurredAt: '2026-11-20T08:00:00+01:00' }, false],
    ['IngressEnvelope', 'the 30th of February', { ...sms, occurredAt: '2026-02-30T08:00:00Z' }, false],
    ['IngressEnvelope', 'a file by ftp', { ...sms, attachments: [{ url: 'ftp://files.example/a' }] }, false],
    ['IngressEnvelope', 'a file of half a byte', { ...sms, attachments: [{ ...file, size: 0.5 }] }, false],
    ['IngressEnvelope', 'no text', { ...sms, text: '' }, true],
    ['IngressEnvelope', 'an unknown field', { ...sms, mood: 'good' }, true],
    ['IngressEnvelope', 'any JSON as metadata', { ...sms, metadata: { a: [1, null, { b: true }] } }, true],
    [
      'EgressEvent',
      'no attachments and no metadata',
      without(without(egress, 'attachments'), 'metadata'),
      true,
    ],
    ['EgressEvent', 'blank text and no file', { ...egress, text: ' \u00a0\n' }, false],
    ['EgressEvent', 'blank text and a file', { ...egress, text: '', attachments: [file] }, true],
    ['EgressEvent', 'no text at all', { ...without(egress, 'text'), attachments: [file] }, false],
    ['EgressEvent', 'an id of 257 characters', { ...egress, id: 'x'.repeat(257) }, false],
    ['EgressEvent', 'no destination', { ...egress, target: { connector: 'twilio', destination: '' } }, false],
    ['EgressOutcome', 'an unknown status', { ...bodyOf('outcome-sent'), status: 'lost' }, false],
    ['EgressOutcome', 'attempts below zero', { ...bodyOf('outcome-sent'), attempts: -1 }, false],
    ['ConnectorStatus', 'an unknown state', { ...bodyOf('status-failed'), state: 'broken' }, false],
    ['DeadLetter', 'no origin', without(bodyOf('dead-letter'), 'origin'), false],
    ['DeadLetter', 'a body that is not base64', { ...bodyOf('dead-letter'), bodyBase64: 'ä' }, false],
  ])('of %s and the library agree on %s', (name, _, body, valid) => {
    const kind = MESSAGE_KINDS.find((candidate) => candidate.name === name);
    if (kind === undefined) throw new Error(`no kind ${name}`);
    const read = kind.read(new TextEncoder().encode(JSON.stringify(body))).ok;
    expect({ library: read, schema: faultsOf(schemaFileOf(kind), body) === '' }).toEqual({
      library: valid,
      schema: valid,
    });
  });

  it('are what the contract consists of', () => {
    for (const [file, schema] of Object.entries(schemas)) {
      expect(JSON.parse(contract.get(`schemas/${file}`) ?? '')).toEqual(schema);
    }
  });
});

describe('the AsyncAPI document', () => {
  const document = parse(contract.get('asyncapi.yaml') ?? '') as Record<string, unknown>; // checked by the first case

  it('is valid by the official JSON Schema of AsyncAPI 3', () => {
    const official = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    const validate = official.compile(specifications.schemasWithoutId['3.0.0'] as object); // JSONSchema7 lacks ajv's $async
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ ...document, channels: { bad: { address: 1 } } })).toBe(false);
  });

  it('refers only to what is there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, ref = '']) => ref,
    );
    expect(references.length).toBeGreaterThan(MESSAGE_KINDS.length * 5);
    for (const reference of references) {
      const [file = '', pointer = ''] = reference.split('#');
      const target: unknown = file === '' ? at(document, pointer) : contract.get(file.replace(/^\.\//, ''));
      expect({ reference, found: target !== undefined }).toEqual({ reference, found: true });
    }
  });

  it('shows every example, with its headers, under its message', () => {
    const shown = MESSAGE_KINDS.flatMap(
      ({ name }) => at(document, `/components/messages/${name}/examples`) as { name: string }[], // as the generator writes them
    );
    expect(shown.map(({ name }) => name).sort()).toEqual([...files.keys()].sort());
    expect(shown.find(({ name }) => name === 'twilio-sms')).toMatchObject({
      headers: { 'ce-id': 'twilio:IM00000000000000000000000000000001' },
      payload: { text: 'Where is my order?' },
    });
  });

  it('describes each placeholder of an address', () => {
    for (const { slug } of MESSAGE_KINDS) {
      const channel = at(document, `/channels/${slug}`) as { address: string; parameters: object }; // as above
      const placeholders = [...channel.address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(channel.parameters)).toEqual(placeholders);
    }
  });
});

describe('the readable contract', () => {
  const readme = contract.get('README.md') ?? '';

  it('names every field of every schema', () => {
    const named = (schema: JsonSchema): string[] => [
      ...Object.keys(schema.properties ?? {}),
      ...Object.values(schema.$defs ?? {}).flatMap(named),
    ];
    for (const field of Object.values(schemas).flatMap(named)) {
      expect(readme).toMatch(new RegExp(`[\`.]${field}\``));
    }
  });

  it('is the same from a second run', () => {
    expect([...createContract(new Map([...files].reverse()))]).toEqual([...contract]);
  });
});

/** What a JSON pointer leads to. */
function at(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined, // any object has entries
      value,
    );
}
