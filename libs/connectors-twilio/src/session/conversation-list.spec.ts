import { ManualClock } from '@bitbrat/foundation/testing';
import { type Client } from '@twilio/conversations';
import { ConversationList } from './conversation-list.js';

describe('ConversationList', () => {
  it('says how long the platform asks to wait where it refuses to tell of a conversation', async () => {
    const refusal = Object.assign(new Error('TOO MANY REQUESTS'), { status: 429 });
    const client = { getConversationBySid: () => Promise.reject(refusal) } as unknown as Client; // all that finding one takes
    const list = new ConversationList(client, new ManualClock(), { remainingMs: 60_000 });
    await expect(list.find('CH1')).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 60_000 });
  });
});
