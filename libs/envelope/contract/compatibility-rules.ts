import { type Direction } from './message-kinds.js';

/** What one rule forbids while the version stays the same. */
export interface CompatibilityRule {
  /** The messages that it holds for; `both`: whoever writes them. */
  readonly appliesTo: Direction | 'both';
  /** The change that it forbids. */
  readonly change: string;
  /** Whom the change hurts, and how. */
  readonly harm: string;
  /** What to do instead, beside a new version. */
  readonly cure: string;
}

/** What breaks those who have built on the released contract. What no rule forbids is compatible. */
export const COMPATIBILITY_RULES = {
  'message-removed': {
    appliesTo: 'both',
    change: 'a kind of message is gone',
    harm: 'whoever reads or writes it is left alone',
    cure: 'keep its schema',
  },
  'topic-changed': {
    appliesTo: 'both',
    change: 'a message travels on another topic',
    harm: 'subscribers and publishers sit on the old one',
    cure: 'keep the topic',
  },
  'direction-changed': {
    appliesTo: 'both',
    change: 'the gateway reads what it wrote, or the reverse',
    harm: 'the other side does the same as we do',
    cure: 'make a kind of message of its own',
  },
  'version-without-topic': {
    appliesTo: 'both',
    change: '`v` changes and the topic does not',
    harm: 'readers of the old version find messages that they must refuse',
    cure: 'give the new version a topic of its own',
  },
  'field-removed': {
    appliesTo: 'both',
    change: 'a field is gone',
    harm: 'readers miss it; what writers say with it is ignored without a word',
    cure: 'keep the field',
  },
  'field-made-optional': {
    appliesTo: 'published',
    change: 'a required field becomes optional',
    harm: 'readers take it without looking whether it is there',
    cure: 'keep it required',
  },
  'field-made-required': {
    appliesTo: 'consumed',
    change: 'a field is required that was not, or is new and required',
    harm: 'messages of writers that leave it out become dead letters',
    cure: 'make it optional or give it a default',
  },
  'type-widened': {
    appliesTo: 'published',
    change: 'a value may have a type that it did not have',
    harm: 'readers meet a type that they do not expect',
    cure: 'put the new values into a new optional field',
  },
  'type-narrowed': {
    appliesTo: 'consumed',
    change: 'a value may no longer have a type that it had',
    harm: 'messages of writers become dead letters',
    cure: 'go on taking the old type',
  },
  'value-added': {
    appliesTo: 'published',
    change: 'an enumeration or constant has a new value',
    harm: 'readers refuse the whole message, for the codec checks enumerations',
    cure: 'tell it by a new optional field',
  },
  'value-removed': {
    appliesTo: 'both',
    change: 'an enumeration or constant has lost a value',
    harm: 'readers wait for it in vain; messages of writers that use it become dead letters',
    cure: 'keep the value',
  },
  'limit-loosened': {
    appliesTo: 'published',
    change: 'a minimum is lowered or a maximum raised, or either is gone',
    harm: 'readers have made room for less',
    cure: 'keep the limit',
  },
  'limit-tightened': {
    appliesTo: 'consumed',
    change: 'a minimum is raised or a maximum lowered, or either is new',
    harm: 'messages of writers become dead letters',
    cure: 'keep the limit',
  },
  'form-loosened': {
    appliesTo: 'published',
    change: 'a `pattern` or `format` is another or gone',
    harm: 'readers take values apart by it',
    cure: 'keep the form',
  },
  'form-tightened': {
    appliesTo: 'consumed',
    change: 'a `pattern` or `format` is another or new',
    harm: 'messages of writers become dead letters',
    cure: 'keep the form',
  },
  'object-opened': {
    appliesTo: 'published',
    change: 'an object takes fields that it did not take',
    harm: 'readers that refuse unknown fields refuse the message',
    cure: 'keep it as it is',
  },
  'object-closed': {
    appliesTo: 'consumed',
    change: 'an object refuses fields that it took',
    harm: 'messages of writers with fields of their own become dead letters',
    cure: 'go on taking unknown fields',
  },
  'default-changed': {
    appliesTo: 'consumed',
    change: 'a left-out field means something else',
    harm: 'messages of writers that leave it out change their meaning',
    cure: 'keep the default',
  },
  'keyword-changed': {
    appliesTo: 'both',
    change: 'another keyword of the schema has changed',
    harm: 'nobody can prove that nobody is hurt',
    cure: 'say the same with the keywords above, or teach this check the keyword',
  },
} as const satisfies Record<string, CompatibilityRule>;

/** Name of a rule. */
export type RuleName = keyof typeof COMPATIBILITY_RULES;
