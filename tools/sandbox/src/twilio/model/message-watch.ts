import { type WaitList } from '../../wait-list.js';
import { type MessageView, toMessageView } from '../control/control-views.js';
import { type ConversationsModel } from './conversations-model.js';

/** Lets callers wait for messages. */
export class MessageWatch {
  readonly #watchers = new Set<(message: MessageView) => void>();

  constructor(
    private readonly model: ConversationsModel,
    private readonly waits: WaitList,
  ) {
    model.onChange((change) => {
      if (change.kind === 'message-added' && this.#watchers.size > 0) {
        const view = toMessageView(change.conversation, change.message);
        for (const watcher of this.#watchers) watcher(view);
      }
    });
  }

  /** Resolves with the first stored or new message that `predicate` accepts, or with undefined after `timeoutMs`. */
  async waitForMessage(
    predicate: (message: MessageView) => boolean,
    timeoutMs: number,
  ): Promise<MessageView | undefined> {
    let found = this.#stored(predicate);
    // Each message is looked at once: a search through all of them on every change would be quadratic.
    const watcher = (message: MessageView): void => {
      if (found === undefined && predicate(message)) found = message;
    };
    this.#watchers.add(watcher);
    try {
      return await this.waits.waitFor(() => found, timeoutMs);
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  #stored(predicate: (message: MessageView) => boolean): MessageView | undefined {
    for (const conversation of this.model.conversations()) {
      for (const message of conversation.messages) {
        const view = toMessageView(conversation, message);
        if (predicate(view)) return view;
      }
    }
    return undefined;
  }
}
