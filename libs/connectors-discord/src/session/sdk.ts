/**
 * What we use of discord.js and of its HTTP client, and the only file that imports more than its types. It is itself imported when the connector
 * starts. By name: of a CommonJS package that is imported dynamically, a bundler keeps the default export only.
 */
export {
  Client,
  DefaultRestOptions,
  GuildMemberManager,
  MessageManager,
  Options,
  PresenceManager,
  ReactionManager,
  SimpleIdentifyThrottler,
  SimpleShardingStrategy,
  UserManager,
} from 'discord.js';
export { DecoratorHandler, getGlobalDispatcher } from 'undici';
