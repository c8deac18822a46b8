import { ConversationsModel } from './conversations-model.js';

describe('ConversationsModel', () => {
  it('keeps the newest messages of a conversation, with their indexes', () => {
    const model = new ConversationsModel(() => 0, 2, 1_000);
    const cause = { source: 'API', silent: false } as const;
    const fields = { friendlyName: null, uniqueName: null, attributes: '{}', createdBy: 'system' };
    const conversation = model.createConversation(fields, cause);
    const message = { author: 'ada', body: 'hello', attributes: '{}', medias: [], participantSid: undefined };
    const sids = Array.from({ length: 5 }, () => model.addMessage(conversation, message, cause).sid);
    expect(conversation.messages.map(({ index }) => index)).toEqual([2, 3, 4]);
    expect(sids.map((sid) => model.findMessage(sid) !== undefined)).toEqual([false, false, true, true, true]);
  });
});
