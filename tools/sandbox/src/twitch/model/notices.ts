/**
 * The NOTICEs that Twitch answers with, by their `msg-id`: "IRC Concepts", NOTICE message ids.
 * `{}` stands for what depends on the case.
 */
const NOTICE_TEXTS: Readonly<Record<string, string>> = {
  ban_success: '{} is now banned from this channel.',
  color_changed: 'Your color has been changed.',
  delete_message_success: 'The message from {} is now deleted.',
  mod_success: 'You have added {} as a moderator of this channel.',
  msg_bad_characters: 'Your message was not sent because it contained too many unprocessable characters.',
  msg_banned: 'You are permanently banned from talking in {}.',
  msg_channel_suspended: 'This channel does not exist or has been suspended.',
  msg_duplicate:
    'Your message was not sent because it is identical to the previous one you sent, less than 30 seconds ago.',
  msg_emoteonly: 'This room is in emote-only mode.',
  msg_followersonly: 'This room is in followers-only mode. Follow {} to join the community!',
  msg_r9k: 'This room is in unique-chat mode and the message you attempted to send is not unique.',
  msg_ratelimit: 'Your message was not sent because you are sending messages too quickly.',
  msg_rejected: 'Your message is being checked by mods and has not been sent.',
  msg_rejected_mandatory:
    "Your message wasn't posted due to conflicts with the channel's moderation settings.",
  msg_requires_verified_phone_number: 'A verified phone number is required to chat in this channel.',
  msg_slowmode:
    'This room is in slow mode and you are sending messages too quickly. You will be able to talk again in {} seconds.',
  msg_subsonly: 'This room is in subscribers only mode.',
  msg_timedout: 'You are timed out for {} more seconds.',
  msg_verified_email: 'This room requires a verified account to chat.',
  no_permission: "You don't have permission to perform that action.",
  timeout_success: '{} has been timed out.',
  unban_success: '{} is no longer banned from this channel.',
  unmod_success: 'You have removed {} as a moderator of this channel.',
  unrecognized_cmd: 'Unrecognized command: {}',
  untimeout_success: '{} is no longer timed out in this channel.',
};

/** A refusal or confirmation, as Twitch words it. */
export interface Notice {
  readonly msgId: string;
  readonly text: string;
}

/** Twitch's notice of this id. An id that the table does not know gets its own name as text. */
export function notice(msgId: string, subject = ''): Notice {
  return { msgId, text: (NOTICE_TEXTS[msgId] ?? msgId).replace('{}', () => subject) };
}
