import { toTunnelRequest } from './tunnel-request.js';
import { matchPath } from './tunnel-router.js';

describe('tunnelled requests', () => {
  it('decode each part of the path by itself, and the parameters', () => {
    const request = toTunnelRequest(
      {
        host: 'aim.us1.twilio.com',
        method: 'GET',
        path: '/Users/b%40t%2B1%20x%2Fy/Conversations',
        params: { PageToken: 'a%3Db%26c%20d%25%2F', PageSize: 50, Repeated: ['1', '2'] },
      },
      Buffer.from('{"a":"é"}'),
    );
    expect(request).toEqual({
      method: 'GET',
      path: '/Users/b@t+1 x/y/Conversations',
      segments: ['Users', 'b@t+1 x/y', 'Conversations'],
      params: { PageToken: 'a=b&c d%/', PageSize: '50', Repeated: '1' },
      body: '{"a":"é"}',
    });
  });

  it.each([[undefined], ['text'], [{ method: 'GET' }], [{ method: 'GET', path: '/%E0%A4%A' }]])(
    'are refused when they read %j',
    (described) => {
      expect(toTunnelRequest(described, Buffer.alloc(0))).toBeUndefined();
    },
  );

  it.each([
    ['a/:x/b', ['a', '1', 'b'], [['x', '1']]],
    ['a/:x/b', ['a', '1'], undefined],
    ['a/:x/b', ['a', '1', 'c'], undefined],
    ['a', ['a'], []],
  ])('match %s against %j', (pattern, segments, args) => {
    const matched = matchPath(pattern, segments);
    expect(matched && [...matched]).toEqual(args);
  });
});
