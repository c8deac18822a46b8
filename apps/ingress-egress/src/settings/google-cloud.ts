import { textVariable } from '@bitbrat/connectors-core';
import { type z } from 'zod';

/** An id or number of a project, which may have a domain in front ("Creating and managing projects"). Emulators take short ones. */
const PROJECT = /^(?:[a-z0-9][a-z0-9.-]{0,251}:)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A host name, an IPv4 address, or an IPv6 address in brackets, and a port from 1 to 65535. */
const HOST_AND_PORT =
  /^(?:[a-z0-9](?:[a-z0-9._-]{0,252})|\[[0-9a-f:.]{2,45}\]):(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/i;

/** The environment variable with the Google Cloud project. */
export const projectVariable: z.ZodOptional<z.ZodString> = textVariable(
  PROJECT,
  'the id of a Google Cloud project: lower-case letters, digits and hyphens',
).optional();

/**
 * An environment variable with the address of an emulator.
 * @param example as its documentation has it
 */
export function emulatorVariable(example: string): z.ZodOptional<z.ZodString> {
  return textVariable(HOST_AND_PORT, `host:port without a scheme, like ${example}`).optional();
}
