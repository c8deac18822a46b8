import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import protobuf from 'protobufjs';

const { Root } = protobuf;

/** One method of one of Pub/Sub's services, as its proto file describes it. */
export interface ProtoMethod {
  /** `Publish`. */
  readonly name: string;
  /** `/google.pubsub.v1.Publisher/Publish`. */
  readonly path: string;
  readonly request: protobuf.Type;
  readonly response: protobuf.Type;
  readonly isStream: boolean;
  /** HTTP verb and path template (`google.api.http`); undefined where there is no REST form. */
  readonly http: HttpRule | undefined;
}

export interface HttpRule {
  readonly verb: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** `/v1/{topic=projects/*}:publish`. */
  readonly template: string;
}

const SERVICES = ['Publisher', 'Subscriber', 'SchemaService'];
const VERBS = ['get', 'put', 'post', 'patch', 'delete'] as const;

/** Reads Pub/Sub's API from the descriptions that Google's client library ships. */
export function readMethods(): ProtoMethod[] {
  const path = createRequire(import.meta.url).resolve('@google-cloud/pubsub/build/protos/protos.json');
  const json = JSON.parse(readFileSync(path, 'utf8')) as protobuf.INamespace; // the file that protobufjs wrote
  const root = Root.fromJSON(json).resolveAll();
  return SERVICES.flatMap((name) => {
    const service = root.lookupService(`google.pubsub.v1.${name}`);
    return service.methodsArray.map((method) => toMethod(method, `google.pubsub.v1.${name}`));
  });
}

function toMethod(method: protobuf.Method, service: string): ProtoMethod {
  method.resolve();
  const { name, resolvedRequestType, resolvedResponseType } = method;
  if (resolvedRequestType === null || resolvedResponseType === null) throw new Error(`${name} has no types`);
  return {
    name,
    path: `/${service}/${name}`,
    request: resolvedRequestType,
    response: resolvedResponseType,
    isStream: method.requestStream === true,
    http: toHttpRule(method.options ?? {}),
  };
}

function toHttpRule(options: Readonly<Record<string, unknown>>): HttpRule | undefined {
  for (const verb of VERBS) {
    const template = options[`(google.api.http).${verb}`];
    if (typeof template !== 'string') continue;
    return { verb: verb.toUpperCase() as HttpRule['verb'], template }; // the upper case of one of VERBS
  }
  return undefined;
}

/** Bytes of a request to a plain object: numbers for 64-bit integers and enumerations, absent fields left out. */
export function decodeMessage(type: protobuf.Type, bytes: Uint8Array): Record<string, unknown> {
  return type.toObject(type.decode(bytes), { longs: Number, bytes: Buffer });
}

/** A plain object to the bytes of an answer. */
export function encodeMessage(type: protobuf.Type, value: object): Buffer {
  return Buffer.from(type.encode(value).finish());
}
