export { type SandboxLogger } from './platform.js';
export { type Sandbox, type SandboxOptions, startSandbox } from './sandbox-server.js';
export { ApiError } from './twilio/api-error.js';
export {
  type ConversationInput,
  type DeliveryInput,
  type InboundMessage,
  type ParticipantInput,
} from './twilio/control-schema.js';
export { type ConversationView, type MessageView, type ParticipantView } from './twilio/control-views.js';
export { type FaultInput } from './twilio/fault-schema.js';
export { type FaultView } from './twilio/faults.js';
export { twilioDefaults, type TwilioSandboxOptions } from './twilio/twilio-options.js';
export { type FaultReceipt } from './twilio/fault-switch.js';
export { type MessageReceipt } from './twilio/inbound-messages.js';
export { TwilioSandbox, type TwilioStats } from './twilio/twilio-sandbox.js';
export { type WebhookAttempt, type WebhookDelivery } from './twilio/webhooks.js';
export { type ExecutedCommand } from './twitch/command-log.js';
export { type TwitchMessageReceipt } from './twitch/control-actions.js';
export { ControlError } from './twitch/control-error.js';
export {
  type ChannelPatchInput,
  type TwitchEventInput,
  type UserMessageInput,
} from './twitch/control-schema.js';
export { type TwitchChannelView, type TwitchMessageView, type TwitchStats } from './twitch/control-views.js';
export { type TwitchFaultInput } from './twitch/fault-schema.js';
export { type TwitchFaultView } from './twitch/faults.js';
export { twitchDefaults, type TwitchSandboxOptions } from './twitch/twitch-options.js';
export { type TwitchFaultReceipt, TwitchSandbox } from './twitch/twitch-sandbox.js';
