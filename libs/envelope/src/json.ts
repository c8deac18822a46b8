import { z } from 'zod';

/** A value that survives `JSON.stringify` and `JSON.parse` unchanged. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Facts beside the contract's fields. */
export const metadataSchema = z.record(z.string(), z.json()).meta({
  id: 'Metadata',
  description: "Further facts as JSON: the platform's own ids, by the platform's own names. Not versioned.",
});

/** @see metadataSchema */
export type Metadata = z.infer<typeof metadataSchema>;
