import { fieldsOf } from './field-table.js';
import { type JsonSchema, resolve } from './json-schema.js';

describe('fieldsOf', () => {
  it('flattens objects, lists and references, with limits', () => {
    const schema: JsonSchema = {
      properties: {
        id: { type: 'string', minLength: 3, maxLength: 9, description: 'Who.' },
        at: { $ref: '#/$defs/Timestamp', description: 'When.' },
        files: { type: 'array', items: { $ref: '#/$defs/File' }, description: 'What.' },
      },
      required: ['id'],
      $defs: {
        Timestamp: { type: 'string', format: 'date-time', description: 'A time.' },
        File: {
          type: 'object',
          properties: { url: { type: 'string', format: 'uri', description: 'Where.' } },
          required: ['url'],
        },
      },
    };
    expect(fieldsOf(schema)).toEqual([
      { field: 'id', type: 'string, 3 to 9 characters', required: true, meaning: 'Who.' },
      { field: 'at', type: 'Timestamp', required: false, meaning: 'When.' },
      { field: 'files', type: 'array of object', required: false, meaning: 'What.' },
      { field: 'files[].url', type: 'string, URL', required: true, meaning: 'Where.' },
    ]);
  });

  it('refuses a field without a meaning, by its name', () => {
    const inner = { type: 'object', description: 'There.', properties: { mood: { type: 'string' } } };
    expect(() => fieldsOf({ properties: { sender: inner } })).toThrow('sender.mood: describe it');
  });
});

it('refuses a reference that leads nowhere', () => {
  expect(() => resolve({ $ref: '#/$defs/Nobody' }, {})).toThrow(
    '#/$defs/Nobody: there is no such definition',
  );
});
