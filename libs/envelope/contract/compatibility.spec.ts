import { type BreakingChange, describeChange, findBreakingChanges } from './compatibility.js';
import { COMPATIBILITY_RULES, type RuleName } from './compatibility-rules.js';
import { type JsonSchema } from './json-schema.js';
import { createSchemas } from './schemas.js';

interface Case {
  readonly name: string;
  /** The field's schema before and after. */
  readonly before: JsonSchema;
  readonly after: JsonSchema;
  /** The rule that each direction breaks; absent: compatible. */
  readonly published?: RuleName;
  readonly consumed?: RuleName;
}

const text = { type: 'string' };
const object = (properties: Record<string, JsonSchema>, required: string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  required,
});

const cases: Case[] = [
  { name: 'nothing', before: text, after: text },
  { name: 'a description', before: text, after: { ...text, description: 'better words' } },
  { name: 'an optional field more', before: object({ a: text }), after: object({ a: text, b: text }) },
  {
    name: 'a required field more',
    before: object({ a: text }),
    after: object({ a: text, b: text }, ['b']),
    consumed: 'field-made-required',
  },
  {
    name: 'an optional field that becomes required',
    before: object({ a: text }),
    after: object({ a: text }, ['a']),
    consumed: 'field-made-required',
  },
  {
    name: 'a required field that becomes optional',
    before: object({ a: text }, ['a']),
    after: object({ a: text }),
    published: 'field-made-optional',
  },
  {
    name: 'a required field less',
    before: object({ a: text }, ['a']),
    after: object({}),
    published: 'field-removed',
    consumed: 'field-removed',
  },
  {
    name: 'an optional field less',
    before: object({ a: text }),
    after: object({}),
    published: 'field-removed',
    consumed: 'field-removed',
  },
  {
    name: 'another type',
    before: text,
    after: { type: 'boolean' },
    published: 'type-widened',
    consumed: 'type-narrowed',
  },
  {
    name: 'number to integer',
    before: { type: 'number' },
    after: { type: 'integer' },
    consumed: 'type-narrowed',
  },
  {
    name: 'integer to number',
    before: { type: 'integer' },
    after: { type: 'number' },
    published: 'type-widened',
  },
  { name: 'any type', before: text, after: {}, published: 'type-widened' },
  { name: 'one type', before: {}, after: text, consumed: 'type-narrowed' },
  { name: 'a value more', before: { enum: ['a'] }, after: { enum: ['a', 'b'] }, published: 'value-added' },
  {
    name: 'a value less',
    before: { enum: ['a', 'b'] },
    after: { enum: ['a'] },
    published: 'value-removed',
    consumed: 'value-removed',
  },
  {
    name: 'a constant that becomes a choice',
    before: { const: 'a' },
    after: { enum: ['a', 'b'] },
    published: 'value-added',
  },
  { name: 'any value', before: { enum: ['a'] }, after: {}, published: 'value-added' },
  { name: 'a choice where any value was', before: {}, after: { enum: ['a'] }, consumed: 'value-removed' },
  { name: 'a higher maximum', before: { maximum: 5 }, after: { maximum: 6 }, published: 'limit-loosened' },
  { name: 'a lower maximum', before: { maximum: 5 }, after: { maximum: 4 }, consumed: 'limit-tightened' },
  {
    name: 'a higher minimum',
    before: { minLength: 1 },
    after: { minLength: 2 },
    consumed: 'limit-tightened',
  },
  { name: 'a lower minimum', before: { minLength: 2 }, after: { minLength: 1 }, published: 'limit-loosened' },
  { name: 'no maximum', before: { maxLength: 9 }, after: {}, published: 'limit-loosened' },
  { name: 'a new maximum', before: {}, after: { maxItems: 9 }, consumed: 'limit-tightened' },
  {
    name: 'another pattern',
    before: { pattern: '^a' },
    after: { pattern: '^b' },
    published: 'form-loosened',
    consumed: 'form-tightened',
  },
  { name: 'no format', before: { format: 'uuid' }, after: {}, published: 'form-loosened' },
  { name: 'a new format', before: {}, after: { format: 'uri' }, consumed: 'form-tightened' },
  {
    name: 'an object that is closed',
    before: { additionalProperties: {} },
    after: { additionalProperties: false },
    consumed: 'object-closed',
  },
  {
    name: 'an object that is opened',
    before: { additionalProperties: false },
    after: {},
    published: 'object-opened',
  },
  {
    name: 'further fields of one type',
    before: { additionalProperties: text },
    after: { additionalProperties: {} },
    published: 'type-widened',
  },
  { name: 'another default', before: { default: 1 }, after: { default: 2 }, consumed: 'default-changed' },
  { name: 'no default', before: { default: 1 }, after: {}, consumed: 'default-changed' },
  { name: 'a first default', before: {}, after: { default: 2 } },
  {
    name: 'items of another type',
    before: { type: 'array', items: text },
    after: { type: 'array', items: { type: 'number' } },
    published: 'type-widened',
    consumed: 'type-narrowed',
  },
  {
    name: 'a keyword that the check does not know',
    before: { anyOf: [text] },
    after: { anyOf: [text, { type: 'null' }] },
    published: 'keyword-changed',
    consumed: 'keyword-changed',
  },
  {
    name: 'words within a keyword that the check does not know',
    before: { anyOf: [text] },
    after: { anyOf: [{ ...text, description: 'better words' }] },
  },
];

const message = (field: JsonSchema, more: JsonSchema = {}, version = '1'): JsonSchema => ({
  type: 'object',
  properties: { v: { const: version }, field },
  required: ['v'],
  'x-topic': `topic.v${version}`,
  ...more,
});
const compare = (before: JsonSchema, after: JsonSchema): BreakingChange[] =>
  findBreakingChanges({ 'm.schema.json': before }, { 'm.schema.json': after });
const rulesOf = (changes: readonly BreakingChange[]): RuleName[] => changes.map(({ rule }) => rule);

describe.each(['published', 'consumed'] as const)('a message that is %s', (direction) => {
  const as = { 'x-direction': direction };

  it.each(cases)('$name', ({ before, after, [direction]: rule }) => {
    const changes = compare(message(before, as), message(after, as));
    expect(rulesOf(changes)).toEqual(rule === undefined ? [] : [rule]);
    expect(changes.every(({ path }) => path.startsWith('$.field'))).toBe(true);
  });

  it.each(cases)('$name, behind a reference', ({ before, after, [direction]: rule }) => {
    const refer = (definition: JsonSchema): JsonSchema =>
      message({ $ref: '#/$defs/Field', description: 'here' }, { ...as, $defs: { Field: definition } });
    expect(rulesOf(compare(refer(before), refer(after)))).toEqual(rule === undefined ? [] : [rule]);
  });

  it('may have a new version on a topic of its own, whatever changes', () => {
    expect(compare(message(text, as), message({ type: 'number' }, as, '2'))).toEqual([]);
  });

  it.each<[RuleName, JsonSchema]>([
    ['version-without-topic', { ...message(text, as, '2'), 'x-topic': 'topic.v1' }],
    ['topic-changed', { ...message(text, as), 'x-topic': 'elsewhere.v1' }],
    ['direction-changed', { ...message(text), 'x-direction': 'sideways' }],
  ])('breaks the rule %s', (rule, after) => {
    expect(rulesOf(compare(message(text, as), after))).toEqual([rule]);
  });

  it('may not go without a new version, but may come', () => {
    const file = { 'm.schema.json': message(text, as) };
    expect(rulesOf(findBreakingChanges(file, {}))).toEqual(['message-removed']);
    expect(findBreakingChanges({}, file)).toEqual([]);
  });
});

it('has a case for every rule', () => {
  const byField = cases.flatMap(({ published, consumed }) => [published, consumed]);
  const ofMessages = ['version-without-topic', 'topic-changed', 'direction-changed', 'message-removed'];
  expect(
    Object.keys(COMPATIBILITY_RULES)
      .filter((rule) => !byField.includes(rule as RuleName))
      .sort(),
  ).toEqual(ofMessages.sort()); // each key is a rule's name
});

it('compares definitions that hold themselves', () => {
  const tree = (leaf: JsonSchema): JsonSchema =>
    message(
      { $ref: '#/$defs/Tree' },
      { 'x-direction': 'published', $defs: { Tree: object({ leaf, inner: { $ref: '#/$defs/Tree' } }) } },
    );
  expect(compare(tree(text), tree(text))).toEqual([]);
  expect(compare(tree(text), tree({ type: 'number' }))).toEqual([
    { file: 'm.schema.json', path: '$.field.leaf', rule: 'type-widened', detail: 'string -> number' },
  ]);
});

it('says file, JSON path, rule, harm and cure', () => {
  const schemas = createSchemas();
  const name = 'ingress-envelope.schema.json';
  const { Sender, ...others } = schemas[name]?.$defs ?? {};
  const { roles: _, ...properties } = Sender?.properties ?? {};
  const broken: JsonSchema = { ...schemas[name], $defs: { ...others, Sender: { ...Sender, properties } } };
  const [change, ...more] = findBreakingChanges(schemas, { ...schemas, [name]: broken });
  expect(more).toEqual([]);
  expect(change === undefined ? '' : describeChange(change)).toBe(
    'ingress-envelope.schema.json $.sender.roles field-removed: the field is gone. Why it breaks: readers miss it; what writers say with it is ignored without a word. Cure: keep the field, or make a new version.',
  );
});
