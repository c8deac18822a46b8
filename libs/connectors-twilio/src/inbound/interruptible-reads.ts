import { ConnectorError } from '@bitbrat/connectors-core';
import { type CursorMessage, type DrainableConversation } from './conversation-cursor.js';

/**
 * Reads of conversations that end with the connection on which they were asked. The SDK lets such a question wait for half a minute, and the
 * conversation would be silent so long.
 */
export class InterruptibleReads {
  readonly #waiting = new Set<(error: ConnectorError) => void>();

  /** The conversation as the cursor reads it. */
  of<M extends CursorMessage>(conversation: DrainableConversation<M>): DrainableConversation<M> {
    const ask = <T>(answer: Promise<T>): Promise<T> => this.#ask(answer);
    return {
      sid: conversation.sid,
      get lastReadMessageIndex() {
        return conversation.lastReadMessageIndex;
      },
      get lastMessage() {
        return conversation.lastMessage;
      },
      getMessages: (...query) => ask(conversation.getMessages(...query)),
      advanceLastReadMessageIndex: (index) => ask(conversation.advanceLastReadMessageIndex(index)),
    };
  }

  /** The connection is a new one: what was asked before rejects with NOT_CONNECTED, and its answer, should it come, is passed over. */
  interrupt(): void {
    const error = new ConnectorError('NOT_CONNECTED', 'the connection was lost before the answer came');
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  #ask<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const settled = (): boolean => this.#waiting.delete(reject);
      answer.finally(settled).then(resolve, reject);
    });
  }
}
