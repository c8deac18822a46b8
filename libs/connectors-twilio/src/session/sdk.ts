/**
 * What we use of Twilio's packages, and the only file that imports more than their types. It is itself imported when the
 * connector starts. By name: of a CommonJS package that is imported dynamically, a bundler keeps the default export only.
 */
export { Client } from '@twilio/conversations';
// By their own paths: the whole package costs 14 MB more.
export { default as AccessToken } from 'twilio/lib/jwt/AccessToken.js';
export { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
export { WebSocket } from 'ws';
