import { WaitList } from '../wait-list.js';
import { type MessageView, toMessageView } from './control-views.js';
import { type ConversationsModel } from './conversations-model.js';

/** Lets callers wait for messages, and for anything else that changes in the sandbox. */
export class MessageWatch {
  readonly #waits = new WaitList();
  readonly #watchers = new Set<(message: MessageView) => void>();

  constructor(private readonly model: ConversationsModel) {
    model.onChange((change) => {
      if (change.kind === 'message-added' && this.#watchers.size > 0) {
        const view = toMessageView(change.conversation, change.message);
        for (const watcher of this.#watchers) watcher(view);
      }
      this.#waits.notify();
    });
  }

  /** Tells everybody who waits that something other than the model has changed. */
  notify(): void {
    this.#waits.notify();
  }

  /** Resolves with the first value other than undefined of `probe`, or with undefined after `timeoutMs`. */
  waitFor<T>(probe: () => T | undefined, timeoutMs: number): Promise<T | undefined> {
    return this.#waits.waitFor(probe, timeoutMs);
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
      return await this.#waits.waitFor(() => found, timeoutMs);
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  /** Rejects everybody who still waits. */
  close(): void {
    this.#waits.close();
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
