import { createFirestoreStore } from './firestore-store.js';

describe('createFirestoreStore', () => {
  it.each([
    ['an empty project id', { projectId: '' }],
    ['an empty collection', { collection: '' }],
    ['a collection with a slash', { collection: 'a/b' }],
    ['a reserved collection', { collection: '__state__' }],
    ['an emulator without a port', { emulatorHost: 'localhost' }],
    ['an emulator by URL', { emulatorHost: 'http://127.0.0.1:8080' }],
  ])('refuses %s', (_what, wrong) => {
    expect(() => createFirestoreStore({ projectId: 'p', collection: 'state', ...wrong })).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIG' }) as Error,
    );
  });
});
