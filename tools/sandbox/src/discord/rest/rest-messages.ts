import { type JsonObject } from '../../json.js';
import { ApiError, invalidForm, missingPermissions, unknownMessage } from '../api-error.js';
import { type DiscordModel, type NewAttachment } from '../model/discord-model.js';
import { selectHistory } from '../model/history.js';
import { type PrivilegedIntent } from '../wire/intents.js';
import { readMessageBody, type UploadedFile } from './message-body.js';
import {
  checkNotEmpty,
  createMessageSchema,
  editMessageSchema,
  historyQuerySchema,
  readForm,
} from './message-form.js';
import { type NonceRegister } from '../model/nonces.js';
import { type Message } from '../model/records.js';
import { toContentType } from '../control/content-type.js';
import { requireReadable, requireWritable } from './rest-resources.js';
import { type RestCall } from './rest-api.js';
import { type MessageView, toWireMessage } from '../wire/wire.js';

/** What the message routes work on. */
export interface SendContext {
  readonly model: DiscordModel;
  readonly nonces: NonceRegister<Message>;
  readonly maxUploadBytes: number;
  readonly privilegedIntents: readonly PrivilegedIntent[];
  /** How messages are shown over REST. */
  view(): MessageView;
}

/** "Get Channel Messages": newest first. */
export function getHistory(context: SendContext, call: RestCall): readonly JsonObject[] {
  const channel = requireReadable(context.model, call.param('channelId'));
  const page = selectHistory(channel.messages, readForm(historyQuerySchema, call.query));
  const view = context.view();
  return page.map((message) => toWireMessage(message, view));
}

/** "Get Channel Message". */
export function getMessage(context: SendContext, call: RestCall): JsonObject {
  return toWireMessage(requireMessage(context, call), context.view());
}

/** "Create Message". A nonce that is enforced and known gives the message that it made, and makes none. */
export function sendMessage(context: SendContext, call: RestCall): JsonObject {
  const { model, nonces } = context;
  const channel = requireWritable(model, call.param('channelId'));
  const { payload, files } = readMessageBody(call.contentType, call.body, context.maxUploadBytes);
  const form = readForm(createMessageSchema, payload);
  const content = form.content ?? '';
  checkNotEmpty({ ...form, stickers: form.sticker_ids, files: files.length });
  const nonce = form.nonce ?? undefined;
  const enforced = form.enforce_nonce === true && nonce !== undefined;
  const earlier = enforced ? nonces.find(nonce) : undefined;
  if (earlier !== undefined) return toWireMessage(earlier, context.view());
  const reference = form.message_reference ?? undefined;
  const answered = channel.messages.find(({ id }) => id === reference?.message_id);
  if (reference !== undefined && answered === undefined && reference.fail_if_not_exists !== false) {
    const fault = { code: 'REPLIES_UNKNOWN_MESSAGE', message: 'Unknown message' };
    throw invalidForm([{ path: ['message_reference'], ...fault }]);
  }
  const message = model.addMessage(channel, {
    author: model.bot,
    content,
    nonce,
    replyTo: answered?.id,
    attachments: toAttachments(files, form.attachments ?? []),
    embeds: form.embeds ?? [],
    components: form.components ?? [],
    flags: form.flags ?? 0,
    tts: form.tts ?? false,
    allowedMentions: form.allowed_mentions ?? undefined,
  });
  if (enforced) nonces.remember(nonce, message);
  return toWireMessage(message, context.view());
}

/** "Edit Message". Throws 403/50005 for a message of somebody else. */
export function editMessage(context: SendContext, call: RestCall): JsonObject {
  const { model } = context;
  const message = requireMessage(context, call);
  if (message.author.id !== model.bot.id) {
    throw new ApiError(403, 50005, 'Cannot edit a message authored by another user');
  }
  const { payload, files } = readMessageBody(call.contentType, call.body, context.maxUploadBytes);
  const form = readForm(editMessageSchema, payload);
  const listed = form.attachments ?? undefined;
  const kept =
    listed === undefined
      ? message.attachments
      : message.attachments.filter((attachment) => listed.some(({ id }) => id === attachment.id));
  const edited = {
    content: form.content === undefined ? message.content : (form.content ?? ''),
    embeds: form.embeds === undefined ? message.embeds : (form.embeds ?? []),
    components: form.components === undefined ? message.components : (form.components ?? []),
    flags: form.flags ?? message.flags,
  };
  checkNotEmpty({ ...edited, files: kept.length + files.length });
  model.editMessage(message, {
    ...edited,
    keptAttachments: kept,
    newAttachments: toAttachments(files, listed ?? []),
    allowedMentions: form.allowed_mentions ?? undefined,
  });
  return toWireMessage(message, context.view());
}

/** "Delete Message". Throws 403/50013 for a message of somebody else: the bot does not manage messages. */
export function deleteMessage(context: SendContext, call: RestCall): void {
  const message = requireMessage(context, call);
  if (message.author.id !== context.model.bot.id) throw missingPermissions();
  context.model.removeMessage(message);
}

function requireMessage(context: SendContext, call: RestCall): Message {
  const channel = requireReadable(context.model, call.param('channelId'));
  const message = context.model.findMessage(call.param('messageId'));
  if (message?.channel !== channel) throw unknownMessage();
  return message;
}

function toAttachments(
  files: readonly UploadedFile[],
  described: readonly {
    id: string;
    filename?: string | undefined;
    description?: string | null | undefined;
  }[],
): readonly NewAttachment[] {
  return files.map(({ index, filename, contentType, bytes }) => {
    const about = described.find(({ id }) => id === index);
    return {
      filename: about?.filename ?? filename,
      contentType: toContentType(about?.filename ?? filename, contentType),
      description: about?.description ?? undefined,
      bytes,
    };
  });
}
