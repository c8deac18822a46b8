import { isTwitchSdkRejection } from './sdk-rejection.js';

function withStack(stack: string): Error {
  return Object.assign(new Error('x'), { stack });
}

describe('isTwitchSdkRejection', () => {
  it.each([
    ['Not connected to server.', true],
    ['No response from Twitch.', true],
    ['something else', false],
    [undefined, false],
    [null, false],
    [42, false],
    [new Error('ours'), false],
    [withStack('Error: x\n    at client.connect (/app/node_modules/tmi.js/lib/client.js:1:1)'), true],
    [withStack('Error: x\n    at client._sendMessage (/app/dist/main.js:1:1)'), true],
    [withStack('Error: x\n    at client.send (/app/dist/main.js:1:1)'), false],
    [withStack('Error: x\n    at f (/app/node_modules/discord.js/src/client.js:1:1)'), false],
  ])('%p: %p', (reason, expected) => {
    expect(isTwitchSdkRejection(reason)).toBe(expected);
  });
});
