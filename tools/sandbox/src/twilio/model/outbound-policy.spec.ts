import { ConversationsModel } from './conversations-model.js';
import { checkOutbound } from './outbound-policy.js';
import { type Conversation } from './records.js';

const CAUSE = { source: 'API', silent: true } as const;
const PHONE = '+15550100';

function conversationWith(phone: boolean): Conversation {
  const model = new ConversationsModel(() => 0, 10, 1_000);
  const fields = { friendlyName: null, uniqueName: null, attributes: '{}', createdBy: 'system' };
  const conversation = model.createConversation(fields, CAUSE);
  if (phone) {
    const binding = { address: PHONE, proxyAddress: '+15550199', attributes: '{}' };
    model.addParticipant(conversation, binding, CAUSE);
  }
  return conversation;
}

const code = (phone: boolean, body: string, attributes: string, optedOut: string[] = []): unknown => {
  try {
    const draft = { body, attributes, mediaCount: 0 };
    checkOutbound(conversationWith(phone), draft, new Set(optedOut));
    return 'taken';
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
};

describe('outbound policy', () => {
  it.each([
    ['1,600 characters to a phone', true, 'x'.repeat(1_600), '{}', 'taken'],
    ['1,601 characters to a phone', true, 'x'.repeat(1_601), '{}', 21617],
    ['1,601 characters to chat only', false, 'x'.repeat(1_601), '{}', 'taken'],
    ['32 KB to chat', false, 'é'.repeat(16 * 1024), '{}', 'taken'],
    ['more than 32 KB to chat', false, 'é'.repeat(16 * 1024 + 1), '{}', 20001],
    ['4 KB of attributes', true, 'x', JSON.stringify('y'.repeat(4_094)), 'taken'],
    ['more than 4 KB of attributes', true, 'x', JSON.stringify('y'.repeat(4_095)), 20001],
    ['attributes that are not JSON', true, 'x', '{', 20001],
    ['nothing at all', true, '', '{}', 20001],
  ])('%s', (_name, phone, body, attributes, expected) => {
    expect(code(phone, body, attributes)).toBe(expected);
  });

  it('refuses a number that has opted out', () => {
    expect(code(true, 'x', '{}', [PHONE])).toBe(21610);
    expect(code(true, 'x', '{}', ['+15550999'])).toBe('taken');
  });
});
