/**
 * What we use of the packages that speak to Twitch, and the only file that imports more than their types. It is itself imported when the
 * connector starts. By name: of a CommonJS package that is imported dynamically, a bundler keeps the default export only.
 */
export { Client } from 'tmi.js';
export { WebSocket } from 'ws';
