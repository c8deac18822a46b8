/**
 * What we use of Google's library, and the only file that imports more than its types. It is itself imported when a Firestore store is
 * opened. By name: of a CommonJS package that is imported dynamically, a bundler keeps the default export only.
 */
export { Firestore } from '@google-cloud/firestore';
