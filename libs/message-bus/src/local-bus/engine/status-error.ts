/** gRPC's status codes by number (grpc.io, "Status codes and their use in gRPC"), as far as the local bus answers with them. */
export const GRPC_STATUS = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

export type StatusName = keyof typeof GRPC_STATUS;

/** What a call is answered with when it cannot be served. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  /** gRPC's number of `status`. */
  readonly code: number;

  constructor(
    readonly status: StatusName,
    message: string,
  ) {
    super(message);
    this.code = GRPC_STATUS[status];
  }
}
