import { type Logger, messageOf } from '@bitbrat/foundation';
import {
  Metadata,
  type handleBidiStreamingCall,
  type handleUnaryCall,
  type Server,
  type ServiceDefinition,
  type ServiceError,
  status as grpcStatus,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { StatusError } from '../engine/status-error.js';
import { type LocalBus } from '../engine/local-bus.js';
import { type Method } from '../api/methods.js';
import { decodeMessage, encodeMessage, type ProtoMethod } from '../api/proto.js';
import { openStreamingPull, type PullStream } from './streaming-pull.js';

interface GrpcContext {
  readonly bus: LocalBus;
  readonly methods: Readonly<Record<string, Method>>;
  readonly logger: Logger;
}

/** Made once: it comes at the end of every call, and an error with its stack costs more than the call. */
const GONE = new StatusError('UNAVAILABLE', 'the caller has gone');

/** Serves Pub/Sub's services by gRPC; a method that the local bus does not have answers `UNIMPLEMENTED` by name. */
export function addGrpcServices(
  server: Server,
  protoMethods: readonly ProtoMethod[],
  context: GrpcContext,
): void {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const method of protoMethods) {
    definition[method.path] = toDefinition(method);
    implementation[method.path] = method.isStream ? streamingCall(context) : unaryCall(method, context);
  }
  server.addService(definition, implementation);
}

function toDefinition({ isStream, path, request, response }: ProtoMethod): ServiceDefinition[string] {
  return {
    path,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: (value: object) => encodeMessage(request, value),
    requestDeserialize: (bytes: Buffer) => decodeMessage(request, bytes),
    responseSerialize: (value: object) => encodeMessage(response, value),
    responseDeserialize: (bytes: Buffer) => decodeMessage(response, bytes),
  };
}

function unaryCall({ name }: ProtoMethod, { logger, methods }: GrpcContext): handleUnaryCall<object, object> {
  return (call, callback) => {
    const gone = new AbortController();
    call.on('cancelled', () => {
      gone.abort(GONE);
    });
    const method = methods[name];
    const answered =
      method === undefined
        ? Promise.reject(new StatusError('UNIMPLEMENTED', `the local bus has no ${name}`))
        : Promise.resolve().then(() => method(call.request as never, gone.signal)); // decoded by the method's own type
    answered.then(
      (response) => {
        callback(null, response);
      },
      (error: unknown) => {
        callback(toServiceError(error, logger));
      },
    );
  };
}

function streamingCall({ bus, logger }: GrpcContext): handleBidiStreamingCall<object, object> {
  return (call) => {
    const stream: PullStream = {
      write: (response) => call.write(response),
      onDrain: (listener) => call.on('drain', listener),
      onRequest: (listener) => call.on('data', listener),
      onClosed: (listener) => {
        call.on('end', listener);
        call.on('cancelled', listener);
        call.on('error', listener);
      },
      end: (error) => {
        if (error === undefined) call.end();
        else call.emit('error', toServiceError(error, logger));
      },
    };
    openStreamingPull(stream, bus);
  };
}

function toServiceError(error: unknown, logger: Logger): ServiceError {
  if (!(error instanceof StatusError)) logger.error('local-bus.fault', { reason: messageOf(error) });
  const code = grpcStatus[error instanceof StatusError ? error.status : 'INTERNAL'];
  const details = messageOf(error);
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}
