export {
  type Bot,
  type BotLogger,
  type LogFields,
  type MessageContext,
  type OutcomeContext,
  type Reply,
  type ReplyOptions,
  type RunningBot,
  type RunOptions,
} from './bot.js';
export { BotError, type BotErrorCode } from './bot-error.js';
export type * from './contract.js';
export { runBot } from './run-bot.js';
