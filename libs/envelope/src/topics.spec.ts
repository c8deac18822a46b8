import { busPrefixSchema, createTopics, instanceIdSchema } from './topics.js';

describe('createTopics', () => {
  it.each(['', 'dev.', 'team-1_'])('puts the prefix %j in front as it is', (prefix) => {
    const topics = createTopics(prefix);
    expect({ ...topics, egress: topics.egress('i-1') }).toEqual({
      ingress: `${prefix}internal.ingress.v1`,
      outcome: `${prefix}internal.egress.outcome.v1`,
      status: `${prefix}internal.connector.status.v1`,
      deadLetter: `${prefix}internal.deadletter.v1`,
      egress: `${prefix}internal.egress.v1.i-1`,
    });
  });

  it('stays inside the 255 characters that Pub/Sub allows', () => {
    const longest = createTopics(busPrefixSchema.parse('p'.repeat(64)));
    expect(longest.egress(instanceIdSchema.parse('i'.repeat(128))).length).toBeLessThanOrEqual(255);
  });
});

describe('busPrefixSchema', () => {
  it.each(['', 'dev.', 'A-b_c.1'])('takes %j', (prefix) => {
    expect(busPrefixSchema.safeParse(prefix).success).toBe(true);
  });

  it.each(['goog', 'google-', '1dev', '.dev', 'de v', 'dev/', 'dev\n', 'p'.repeat(65)])(
    'refuses %j',
    (prefix) => {
      expect(busPrefixSchema.safeParse(prefix).success).toBe(false);
    },
  );
});

describe('instanceIdSchema', () => {
  it.each(['i-1', '0a1b2c', 'host.local_7', 'i'.repeat(128)])('takes %j', (id) => {
    expect(instanceIdSchema.safeParse(id).success).toBe(true);
  });

  it.each(['', 'a b', 'a/b', 'ä', 'a\n', 'i'.repeat(129)])('refuses %j', (id) => {
    expect(instanceIdSchema.safeParse(id).success).toBe(false);
  });
});
