/**
 * What we use of Google's library, and the only file that imports more than its types. It is itself imported when a Pub/Sub bus is
 * opened. By name: of a CommonJS package that is imported dynamically, a bundler keeps the default export only.
 */
export { Duration, PubSub, v1 } from '@google-cloud/pubsub';
