import { settle } from '@bitbrat/foundation/testing';
import { type CursorMessage, type DrainableConversation } from './conversation-cursor.js';
import { InterruptibleReads } from './interruptible-reads.js';

type Page = Awaited<ReturnType<DrainableConversation<CursorMessage>['getMessages']>>;

/** Answers when the test says so. */
class SlowConversation implements DrainableConversation<CursorMessage> {
  readonly sid = 'CH1';
  readonly queries: unknown[] = [];
  lastReadMessageIndex: number | null = null;
  answer: (page: Page) => void = () => undefined;
  refuse: (error: Error) => void = () => undefined;

  getMessages(...query: unknown[]): Promise<Page> {
    this.queries.push(query);
    return new Promise((resolve, reject) => {
      this.answer = resolve;
      this.refuse = reject;
    });
  }

  advanceLastReadMessageIndex(index: number): Promise<unknown> {
    this.queries.push(index);
    return new Promise(() => undefined);
  }
}

const page: Page = { items: [{ index: 0, dateCreated: null }] };

describe('InterruptibleReads', () => {
  it('hands questions and answers through', async () => {
    const conversation = new SlowConversation();
    const reading = new InterruptibleReads().of(conversation);
    const answer = reading.getMessages(50, 3, 'forward');
    conversation.answer(page);
    await expect(answer).resolves.toBe(page);
    conversation.lastReadMessageIndex = 7;
    expect([reading.sid, reading.lastReadMessageIndex, reading.lastMessage]).toEqual(['CH1', 7, undefined]);
    const refused = reading.getMessages(50);
    conversation.refuse(new Error('429'));
    await expect(refused).rejects.toThrow('429');
    expect(conversation.queries).toEqual([[50, 3, 'forward'], [50]]);
  });

  it('rejects what was asked before the interruption, and nothing else', async () => {
    const conversation = new SlowConversation();
    const reads = new InterruptibleReads();
    const reading = reads.of(conversation);
    const [page1, horizon] = [reading.getMessages(50), reading.advanceLastReadMessageIndex(1)];
    const answerLate = conversation.answer;
    reads.interrupt();
    await expect(page1).rejects.toMatchObject({ code: 'NOT_CONNECTED', retryable: true });
    await expect(horizon).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    answerLate(page);
    await settle();
    const page2 = reading.getMessages(50);
    conversation.answer(page);
    await expect(page2).resolves.toBe(page);
  });
});
