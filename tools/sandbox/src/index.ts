export { type MessageReceipt as DiscordMessageReceipt } from './discord/control/control-actions.js';
export {
  type ChannelChange as DiscordChannelChange,
  type ChannelInput as DiscordChannelInput,
  type GuildInput as DiscordGuildInput,
  type InboundMessage as DiscordInboundMessage,
} from './discord/control/control-schema.js';
export {
  type ChannelView as DiscordChannelView,
  type DiscordStats,
  type MessageView as DiscordMessageView,
} from './discord/control/control-views.js';
export { discordDefaults, type DiscordSandboxOptions } from './discord/discord-options.js';
export { DiscordSandbox } from './discord/discord-sandbox.js';
export { type FaultInput as DiscordFaultInput } from './discord/fault-schema.js';
export { type FaultReceipt, type FaultView } from './fault-rules.js';
export { type SandboxLogger } from './platform.js';
export { resetConnection } from './reset-connection.js';
export { type Sandbox, type SandboxOptions, startSandbox } from './sandbox-server.js';
export { ApiError } from './twilio/api-error.js';
export {
  type ConversationInput,
  type DeliveryInput,
  type InboundMessage,
  type ParticipantInput,
} from './twilio/control/control-schema.js';
export {
  type ConversationView,
  type MessageView,
  type ParticipantView,
  type TwilioStats,
} from './twilio/control/control-views.js';
export { type FaultInput } from './twilio/fault-schema.js';
export { twilioDefaults, type TwilioSandboxOptions } from './twilio/twilio-options.js';
export { type MessageReceipt } from './twilio/model/inbound-messages.js';
export { TwilioSandbox } from './twilio/twilio-sandbox.js';
export { type WebhookAttempt, type WebhookDelivery } from './twilio/webhooks/webhooks.js';
export { type ExecutedCommand as TwitchCommand } from './twitch/model/command-log.js';
export { type TwitchMessageReceipt } from './twitch/control/control-actions.js';
export { ControlError as TwitchControlError } from './twitch/control/control-error.js';
export {
  type ChannelPatchInput as TwitchChannelInput,
  type TokenRequestInput as TwitchTokenInput,
  type TwitchEventInput,
  type UserMessageInput as TwitchInboundMessage,
} from './twitch/control/control-schema.js';
export {
  type TwitchChannelView,
  type TwitchMessageView,
  type TwitchStats,
} from './twitch/control/control-views.js';
export { type TwitchFaultInput } from './twitch/fault-schema.js';
export { type TwitchFaultReceipt } from './twitch/fault-switch.js';
export { type TokenPair as TwitchTokenPair } from './twitch/model/tokens.js';
export { twitchDefaults, type TwitchSandboxOptions } from './twitch/twitch-options.js';
export { TwitchSandbox } from './twitch/twitch-sandbox.js';
export { type Wire, type WireAnswer, type WireRule } from './wire.js';
