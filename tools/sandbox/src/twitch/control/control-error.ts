/** What somebody asks of the sandbox cannot be done; the message says why, and what would work. */
export class ControlError extends Error {
  /** @param status the HTTP status with which the control API answers. */
  constructor(
    readonly status: 400 | 404 | 409,
    message: string,
  ) {
    super(message);
    this.name = 'ControlError';
  }
}
