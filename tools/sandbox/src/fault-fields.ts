import { z } from 'zod';

/** What every armed fault takes: when it strikes, and when it heals by itself. */
export const limits = {
  /** How many matching cases pass before it strikes for the first time. */
  skip: z.int().min(0).optional(),
  /** How often it strikes before it heals by itself. Unlimited when left out. */
  count: z.int().min(1).optional(),
  /** Milliseconds after which it heals by itself. */
  durationMs: z.int().min(1).optional(),
  /** Share of the matching cases that it strikes, by the sandbox's seeded random numbers. */
  probability: z.number().min(0).max(1).optional(),
};

/** A regular expression, as text. */
export const pattern = z
  .string()
  .min(1)
  .refine(
    (text) => {
      try {
        return new RegExp(text) instanceof RegExp;
      } catch {
        return false;
      }
    },
    { error: 'expected a regular expression' },
  );

/** The HTTP status of a refusal. */
export const status = z.int().min(400).max(599);

/** Milliseconds that something is held back. */
export const delayMs = z.int().min(0).max(600_000);
