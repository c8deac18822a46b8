import { StatusError } from '../engine/status-error.js';

export interface FieldMask {
  /** `ack_deadline_seconds`, `expiration_policy.ttl`. */
  readonly paths?: readonly string[];
}

/**
 * A resource with the masked fields as asked for; a field that is asked for without a value is taken out.
 * @param changeable names of the fields that may be changed
 * @throws StatusError `INVALID_ARGUMENT` for an empty mask and for any other field
 */
export function applyMask<T extends object>(
  current: T,
  asked: Partial<T>,
  mask: FieldMask | undefined,
  changeable: readonly (keyof T & string)[],
): T {
  const paths = mask?.paths ?? [];
  if (paths.length === 0) throw new StatusError('INVALID_ARGUMENT', 'updateMask: expected a field at least');
  const changed: T = { ...current };
  for (const path of paths) {
    const [top = ''] = path.split('.');
    const wanted = top.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
    const field = changeable.find((name) => name === wanted);
    if (field === undefined) {
      throw new StatusError('INVALID_ARGUMENT', `${path} cannot be changed; ${changeable.join(', ')} can`);
    }
    const value = asked[field];
    if (value === undefined) Reflect.deleteProperty(changed, field);
    else changed[field] = value;
  }
  return changed;
}
