import { FaultRules, seededRandom } from '../fault-rules.js';
import { type PlatformContext } from '../platform.js';
import { ChannelDirectory } from './model/channels.js';
import { Chat } from './model/chat.js';
import { CommandLog } from './model/command-log.js';
import { type ArmedFault } from './fault-schema.js';
import { IrcServer } from './wire/irc-server.js';
import { MessagePacer, SlidingWindow } from './model/rate-limits.js';
import { Speech } from './model/speech.js';
import { TokenStore } from './model/tokens.js';
import { type TwitchSandboxOptions } from './twitch-options.js';
import { UserDirectory } from './model/users.js';

/** What a local Twitch is made of. */
export interface TwitchParts {
  readonly users: UserDirectory;
  readonly channels: ChannelDirectory;
  readonly tokens: TokenStore;
  readonly faults: FaultRules<ArmedFault>;
  readonly commands: CommandLog;
  readonly pacer: MessagePacer;
  readonly chat: Chat;
  readonly irc: IrcServer;
  /** Milliseconds since the epoch. */
  now(): number;
}

/**
 * Makes the parts and puts the bot, its tokens and its channels in place.
 * @param changed called after whatever somebody may wait for
 */
export function createParts(
  options: TwitchSandboxOptions,
  context: PlatformContext,
  changed: () => void,
): TwitchParts {
  const { now, joinLimit, loginLimit, dropped, duplicateWindowMs, pingIntervalMs } = options;
  const users = new UserDirectory();
  const channels = new ChannelDirectory(users, options.historyLimit);
  const tokens = new TokenStore(now);
  const faults = new FaultRules<ArmedFault>(now, seededRandom(options.seed));
  const commands = new CommandLog(now, changed);
  const pacer = new MessagePacer(options.messageLimits, now);
  const chat = new Chat({ channels, now, changed });
  const irc = new IrcServer({
    chat,
    channels,
    tokens,
    faults,
    commands,
    speech: new Speech({ chat, channels, users, commands, faults, pacer, duplicateWindowMs, dropped, now }),
    joins: new SlidingWindow(joinLimit.windowMs, now),
    joinLimit,
    logins: new SlidingWindow(loginLimit.windowMs, now),
    loginLimit,
    pingIntervalMs,
    wire: context.wire,
    changed,
    log: (event, fields) => context.log(event, fields),
  });
  const { botLogin, botUserId, accessToken, refreshToken, scopes, tokenLifeMs: lifeMs } = options;
  const bot = users.ensure(botLogin, { id: botUserId });
  tokens.issue(bot, { scopes, lifeMs, accessToken, refreshToken });
  for (const name of options.channels) channels.ensure(name);
  return { users, channels, tokens, faults, commands, pacer, chat, irc, now };
}
