import {
  CONNECTOR_ERRORS,
  ConnectorError,
  type ConnectorErrorCode,
  isConnectorErrorCode,
  toConnectorError,
  toErrorInfo,
} from './connector-error.js';

/** Code, retryable, ambiguous: what the egress consumer and the supervisor act on. */
const CONSEQUENCES: [ConnectorErrorCode, boolean, boolean][] = [
  ['AUTH_FAILED', false, false],
  ['CONFIG_INVALID', false, false],
  ['EXPIRED', false, false],
  ['FORBIDDEN', false, false],
  ['NOT_CONNECTED', true, false],
  ['PAYLOAD_INVALID', false, false],
  ['RATE_LIMITED', true, false],
  ['SIGNATURE_INVALID', false, false],
  ['TARGET_NOT_FOUND', false, false],
  ['RECIPIENT_OPTED_OUT', false, false],
  ['TIMEOUT', true, true],
  ['UNSUPPORTED', false, false],
  ['UPSTREAM_UNAVAILABLE', true, true],
  ['INTERNAL', true, true],
];

describe('ConnectorError', () => {
  it.each(CONSEQUENCES)('%s: retryable %s, ambiguous %s, with a hint', (code, retryable, ambiguous) => {
    const error = new ConnectorError(code, 'it happened');
    expect(error).toMatchObject({ code, retryable, ambiguous, message: 'it happened', sentMessageIds: [] });
    expect(error.hint).not.toBe('');
    expect(error).toBeInstanceOf(Error);
  });

  it('has no code that is not in this table', () => {
    expect(Object.keys(CONNECTOR_ERRORS).sort()).toEqual(CONSEQUENCES.map(([code]) => code).sort());
  });

  it('carries what is known', () => {
    const cause = new Error('socket hang up');
    const options = { cause, nativeCode: '50433', retryAfterMs: 10, hint: 'wait', sentMessageIds: ['m1'] };
    expect(new ConnectorError('RATE_LIMITED', 'slow down', options)).toMatchObject(options);
  });

  it('is the same but for the parts that stand already', () => {
    const options = {
      cause: new Error('socket hang up'),
      nativeCode: '50433',
      retryAfterMs: 10,
      hint: 'wait',
    };
    const error = new ConnectorError('RATE_LIMITED', 'slow down', options);
    const withSent = error.withSent(['m1', 'm2']);
    expect(withSent).toMatchObject({ code: 'RATE_LIMITED', message: 'slow down', ...options });
    expect([withSent.sentMessageIds, error.sentMessageIds]).toEqual([['m1', 'm2'], []]);
    expect(error.withSent([])).toBe(error);
  });

  it('is not ambiguous where it says that the platform was not asked', () => {
    const error = new ConnectorError('UPSTREAM_UNAVAILABLE', 'x', { ambiguous: false });
    expect([error.ambiguous, error.withSent(['1']).ambiguous]).toEqual([false, false]);
  });

  it('says in code whether it is retryable only where something ambiguous is', () => {
    for (const { retryable, ambiguous } of Object.values(CONNECTOR_ERRORS)) {
      expect(ambiguous && !retryable).toBe(false);
    }
  });
});

describe('isConnectorErrorCode', () => {
  it.each([
    ['TIMEOUT', true],
    ['timeout', false],
    ['toString', false],
    ['__proto__', false],
    ['', false],
  ])('%j: %s', (code, expected) => {
    expect(isConnectorErrorCode(code)).toBe(expected);
  });
});

describe('toConnectorError', () => {
  it('leaves a ConnectorError as it is', () => {
    const error = new ConnectorError('FORBIDDEN', 'no');
    expect(toConnectorError(error)).toBe(error);
  });

  it.each([
    [new TypeError('x is not a function'), 'x is not a function'],
    ['thrown words', 'thrown words'],
    [undefined, 'undefined'],
    [null, 'null'],
  ])('makes %p a fault of ours', (thrown, message) => {
    expect(toConnectorError(thrown)).toMatchObject({ code: 'INTERNAL', message, retryable: true });
  });
});

describe('toErrorInfo', () => {
  it('is what travels: no stack, no cause, no hint', () => {
    const error = new ConnectorError('FORBIDDEN', 'no', { nativeCode: '403', cause: new Error('inner') });
    expect(toErrorInfo(error)).toEqual({
      code: 'FORBIDDEN',
      message: 'no',
      retryable: false,
      nativeCode: '403',
    });
    expect(toErrorInfo(new ConnectorError('TIMEOUT', 'late'))).toEqual({
      code: 'TIMEOUT',
      message: 'late',
      retryable: true,
    });
  });
});
