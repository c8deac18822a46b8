import { isTwilioSdkRejection, saysObjectGone } from './sdk-rejection.js';

class TwilsockUpstreamError extends Error {}
class SyncError2 extends Error {}
class RenamedByNobody extends TwilsockUpstreamError {}

function withStack(stack: string): Error {
  const error = new Error('Unhandled error.');
  error.stack = stack;
  return error;
}

describe('isTwilioSdkRejection', () => {
  it.each<[string, unknown]>([
    ['an error class of the SDK', new TwilsockUpstreamError('x')],
    ['one that a bundler has numbered', new SyncError2('x')],
    ['one derived from it', new RenamedByNobody('x')],
    ['the stack of a package', withStack('Error\n    at f (/app/node_modules/twilsock/builds/lib.js:1:1)')],
    ['on Windows', withStack('Error\n    at f (C:\\app\\node_modules\\twilio-sync\\builds\\lib.js:1:1)')],
    [
      'of a scoped package',
      withStack('Error\n    at f (/app/node_modules/@twilio/conversations/builds/lib.js:1:1)'),
    ],
    [
      'the stack of a bundle',
      withStack('Error\n    at TwilsockChannel.close (file:///app/dist/chunks/lib-ABC.mjs:1:1)'),
    ],
    [
      'one in which the bundler has numbered the classes',
      withStack('Error\n    at Retrier2.scheduleAttempt (file:///app/dist/chunks/sdk-ABC.mjs:1:1)'),
    ],
    [
      'one of the part that syncs',
      withStack('Error\n    at SyncNetwork3.get (file:///app/dist/chunks/sdk-ABC.mjs:1:1)'),
    ],
  ])('claims %s', (_, reason) => {
    expect(isTwilioSdkRejection(reason)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['our own error', new Error('x')],
    ['an error that only speaks of it', new Error('TwilsockError in node_modules twilio-sync')],
    ['another package', withStack('Error\n    at f (/app/node_modules/discord.js/src/client.js:1:1)')],
    ['our own connector', withStack('Error\n    at f (/app/libs/connectors-twilio/src/client-run.ts:1:1)')],
    [
      'our own classes of a bundle',
      withStack('Error\n    at ConversationList.load (file:///app/dist/main.mjs:1:1)'),
    ],
    ['a string', 'TwilsockError'],
    ['nothing', undefined],
    ['null', null],
    ['an object without prototype', Object.create(null)],
    ['an object without constructor', Object.create(Object.create(null) as object)], // a prototype is an object
  ])('leaves %s to others', (_, reason) => {
    expect(isTwilioSdkRejection(reason)).toBe(false);
  });
});

describe('saysObjectGone', () => {
  it.each<[string, unknown, boolean]>([
    [
      'an object of Sync that is gone',
      Object.assign(new SyncError2('x'), { status: 404, code: 54300 }),
      true,
    ],
    ['a resource that is gone', Object.assign(new SyncError2('x'), { status: 404, code: 20404 }), true],
    ['another error of Sync', Object.assign(new SyncError2('x'), { status: 401, code: 20104 }), false],
    ['an error without a code', new SyncError2('x'), false],
    ['nothing', undefined, false],
    ['a text', '54300', false],
  ])('of %s', (_, reason, expected) => {
    expect(saysObjectGone(reason)).toBe(expected);
  });
});
