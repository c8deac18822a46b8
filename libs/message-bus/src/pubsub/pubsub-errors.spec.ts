import { classifyFault, grpcCodeOf, type PubSubFault } from './pubsub-errors.js';

const withCode = (code: unknown): Error => Object.assign(new Error('said the service'), { code });

describe('classifyFault', () => {
  it.each<[string, unknown, PubSubFault['kind']]>([
    ['CANCELLED', withCode(1), 'transient'],
    ['UNKNOWN', withCode(2), 'transient'],
    ['INVALID_ARGUMENT', withCode(3), 'invalid'],
    ['DEADLINE_EXCEEDED', withCode(4), 'transient'],
    ['NOT_FOUND', withCode(5), 'missing'],
    ['PERMISSION_DENIED', withCode(7), 'forbidden'],
    ['RESOURCE_EXHAUSTED', withCode(8), 'transient'],
    ['FAILED_PRECONDITION', withCode(9), 'unready'],
    ['ABORTED', withCode(10), 'transient'],
    ['OUT_OF_RANGE', withCode(11), 'invalid'],
    ['UNIMPLEMENTED', withCode(12), 'unready'],
    ['INTERNAL', withCode(13), 'transient'],
    ['UNAVAILABLE', withCode(14), 'transient'],
    ['UNAUTHENTICATED', withCode(16), 'transient'],
    ['a socket error', withCode('ECONNRESET'), 'transient'],
    ['an error without a code', new Error('Could not load the default credentials'), 'transient'],
    ['something else', 'text', 'transient'],
  ])('takes %s for its kind', (_name, error, kind) => {
    expect(classifyFault(error, 'publishing').kind).toBe(kind);
  });

  it('keeps what the service said, and the cause', () => {
    const cause = withCode(7);
    expect(classifyFault(cause, 'publishing to "t"')).toMatchObject({
      error: {
        code: 'FORBIDDEN',
        message: expect.stringMatching(/publishing to "t": said the service/) as string,
        cause,
      },
    });
  });
});

describe('grpcCodeOf', () => {
  it.each([
    [withCode(5), 5],
    [withCode('5'), undefined],
    [null, undefined],
    [undefined, undefined],
  ])('reads %p', (error, expected) => {
    expect(grpcCodeOf(error)).toBe(expected);
  });
});
