import { type Channel } from './channels.js';
import { type Chat, type ChatPeer } from './chat.js';
import { type ExecutedCommand } from './command-log.js';
import { type Notice, notice } from './notices.js';
import { isLogin, type TwitchUser, type UserDirectory } from './users.js';

/** A message that is a command. */
export interface ChatCommand {
  /** Lower case, without the sign before it. */
  readonly name: string;
  /** The rest, without spaces around it. */
  readonly rest: string;
}

/** What a command did: its result, and the notice for whoever gave it. */
export interface CommandOutcome {
  readonly result: Exclude<ExecutedCommand['result'], 'ignored'>;
  readonly notice?: Notice;
}

/** Where a command is executed. */
export interface CommandScene {
  readonly chat: Chat;
  readonly users: UserDirectory;
  readonly channel: Channel;
  readonly peer: ChatPeer;
  readonly user: TwitchUser;
}

/** Seconds of a `/timeout` without a number: Twitch's help page "Chat commands". */
const DEFAULT_TIMEOUT_SECONDS = 600;

/**
 * Reads a text as a command; undefined for an ordinary message.
 *
 * Strict where Twitch's pages are silent: a `/` before anything, and a `.` before anything but another `.` or a
 * space, begin a command, so that a client that leaves such a text as it is gets caught.
 */
export function parseChatCommand(text: string): ChatCommand | undefined {
  const [, name, rest] = /^(?:\/|\.(?=[^.\s]))(\S*)\s*(.*)$/su.exec(text) ?? [];
  return name === undefined ? undefined : { name: name.toLowerCase(), rest: (rest ?? '').trim() };
}

/** Executes a command, apart from `/me`, which is a message. */
export function executeChatCommand({ name, rest }: ChatCommand, scene: CommandScene): CommandOutcome {
  const [target = '', duration] = rest.split(/\s+/);
  switch (name) {
    case 'ban':
    case 'timeout':
      return moderate(scene, target, (login) => {
        const seconds = name === 'ban' ? undefined : Number.parseInt(duration ?? '', 10);
        const lasting = Number.isNaN(seconds) ? DEFAULT_TIMEOUT_SECONDS : seconds;
        scene.chat.ban(scene.channel, scene.users.ensure(login), lasting);
        return notice(`${name}_success`, login);
      });
    case 'unban':
    case 'untimeout':
      return moderate(scene, target, (login) => {
        scene.channel.bans.delete(login);
        return notice(`${name}_success`, login);
      });
    case 'delete':
      return moderate(scene, scene.channel.find(target)?.author.login ?? '', (login) => {
        const message = scene.channel.find(target);
        if (message !== undefined) scene.chat.remove(scene.channel, message);
        return notice('delete_message_success', login);
      });
    case 'clear':
      return moderate(scene, scene.user.login, () => {
        for (const message of scene.channel.messages) message.deleted = true;
        scene.chat.clear(scene.channel);
        return undefined;
      });
    case 'mod':
    case 'unmod':
      return moderate(
        scene,
        target,
        (login) => {
          if (name === 'mod') scene.channel.moderators.add(login);
          else scene.channel.moderators.delete(login);
          return notice(`${name}_success`, login);
        },
        scene.user.login === scene.channel.name,
      );
    case 'color':
      return { result: 'executed', notice: notice('color_changed') };
    case 'disconnect':
      scene.peer.end();
      return { result: 'executed' };
    case 'w':
      // Whispers went from IRC to the API; Twitch says nothing to those who still try.
      return { result: 'refused' };
    default:
      return { result: 'unknown', notice: notice('unrecognized_cmd', `/${name}`) };
  }
}

function moderate(
  { channel, user }: CommandScene,
  target: string,
  act: (login: string) => Notice | undefined,
  allowed = channel.isPrivileged(user.login),
): CommandOutcome {
  const login = target.replace(/^@/, '').toLowerCase();
  if (!allowed || !isLogin(login)) return { result: 'refused', notice: notice('no_permission') };
  const answer = act(login);
  return answer === undefined ? { result: 'executed' } : { result: 'executed', notice: answer };
}
