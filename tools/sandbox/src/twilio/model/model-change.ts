import { type ChangeSource, type Conversation, type Message, type Participant } from './records.js';

/** What happened to the state, told to each listener in the order of subscription. */
export type ModelChange =
  | {
      readonly kind: 'conversation-added' | 'conversation-updated' | 'conversation-removed';
      readonly conversation: Conversation;
      readonly source: ChangeSource;
      readonly silent: boolean;
    }
  | {
      readonly kind: 'participant-added' | 'participant-updated' | 'participant-removed';
      readonly conversation: Conversation;
      readonly participant: Participant;
      readonly source: ChangeSource;
      readonly silent: boolean;
    }
  | {
      readonly kind: 'message-added' | 'message-updated' | 'message-removed' | 'delivery-updated';
      readonly conversation: Conversation;
      readonly message: Message;
      readonly source: ChangeSource;
      readonly silent: boolean;
    };

/** Who makes a change. A silent one sends no webhook, as REST without `X-Twilio-Webhook-Enabled`. */
export interface Cause {
  readonly source: ChangeSource;
  readonly silent: boolean;
}
