import { z } from 'zod';

/** A value that survives `JSON.stringify` and `JSON.parse` unchanged. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Platform-specific facts about a message, by the platform's own names. */
export const metadataSchema = z.record(z.string(), z.json());

export type Metadata = z.infer<typeof metadataSchema>;
