import { z } from 'zod';
import { type JsonObject } from '../../json.js';
import { ApiError, type FieldFault, invalidForm } from '../api-error.js';
import { allowedMentionsSchema } from '../model/mentions.js';

/**
 * Longest content, as in Discord's "Create Message". Discord does not say how it counts: UTF-16 units is the strictest
 * reading, so what passes here passes there.
 */
export const MAX_CONTENT_LENGTH = 2_000;

const snowflake = z.string().regex(/^[0-9]{1,20}$/, { error: 'Value is not snowflake.' });
const objects = (max: number) =>
  // the return type is zod's own, inferred
  z.array(z.record(z.string(), z.json())).max(max).nullish();

const attachment = z.object({
  id: z.union([z.string(), z.int()]).transform(String),
  filename: z.string().optional(),
  description: z.string().max(1_024).nullish(),
});

const common = {
  content: z
    .string()
    .transform((text) => text.trim())
    .pipe(z.string().max(MAX_CONTENT_LENGTH))
    .nullish(),
  embeds: objects(10),
  components: objects(40),
  flags: z.int().min(0).nullish(),
  allowed_mentions: allowedMentionsSchema.nullish(),
  attachments: z.array(attachment).max(10).nullish(),
};

/** The body of "Create Message", as far as the sandbox goes. Unknown fields are ignored, as Discord does. */
export const createMessageSchema = z.object({
  ...common,
  tts: z.boolean().optional(),
  nonce: z.union([z.string().max(25), z.int()]).nullish(),
  enforce_nonce: z.boolean().nullish(),
  sticker_ids: z.array(snowflake).max(3).nullish(),
  message_reference: z
    .object({
      message_id: z.union([snowflake, z.int().transform(String)]),
      channel_id: snowflake.nullish(),
      guild_id: snowflake.nullish(),
      fail_if_not_exists: z.boolean().nullish(),
    })
    .nullish(),
});

/** The body of "Edit Message". */
export const editMessageSchema = z.object(common);

/** The body of "Create DM". */
export const createDirectSchema = z.object({ recipient_id: z.union([snowflake, z.int().transform(String)]) });

/** The query of "Get Channel Messages"; 1 to 100 messages, 50 unless told. */
export const historyQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  before: snowflake.optional(),
  after: snowflake.optional(),
  around: snowflake.optional(),
});

/** Reads a form. Throws 400/50035 with every fault under its field. */
export function readForm<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidForm(parsed.error.issues.map(toFieldFault));
}

/** Refuses a message that would show nothing: 400/50006. */
export function checkNotEmpty(form: {
  readonly content?: string | null | undefined;
  readonly embeds?: readonly JsonObject[] | null | undefined;
  readonly components?: readonly JsonObject[] | null | undefined;
  readonly stickers?: readonly string[] | null | undefined;
  readonly files: number;
}): void {
  const shown =
    (form.content?.length ?? 0) +
    (form.embeds?.length ?? 0) +
    (form.components?.length ?? 0) +
    (form.stickers?.length ?? 0) +
    form.files;
  if (shown === 0) throw new ApiError(400, 50006, 'Cannot send an empty message');
}

function toFieldFault(issue: z.core.$ZodIssue): FieldFault {
  const { path } = issue;
  if (issue.code === 'too_big' && issue.origin !== 'number' && issue.origin !== 'int') {
    const message = `Must be ${issue.maximum.toString()} or fewer in length.`;
    return { path, code: 'BASE_TYPE_MAX_LENGTH', message };
  }
  if (issue.code === 'too_big' || issue.code === 'too_small') {
    return {
      path,
      code: issue.code === 'too_big' ? 'NUMBER_TYPE_MAX' : 'NUMBER_TYPE_MIN',
      message: issue.message,
    };
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  if (missing) return { path, code: 'BASE_TYPE_REQUIRED', message: 'This field is required' };
  return { path, code: 'MODEL_TYPE_CONVERT', message: issue.message };
}
