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
export {
  type FaultReceipt,
  type MessageReceipt,
  TwilioSandbox,
  type TwilioStats,
} from './twilio/twilio-sandbox.js';
export { type WebhookAttempt, type WebhookDelivery } from './twilio/webhooks.js';
