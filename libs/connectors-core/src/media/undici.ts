/**
 * What we use of undici, and the only file that imports more than its types. It is itself imported at the first fetch. By name: of a CommonJS
 * package that is imported dynamically, a bundler keeps the default export only.
 */
export { Client } from 'undici';
