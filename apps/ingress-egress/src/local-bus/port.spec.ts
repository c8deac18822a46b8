import fc from 'fast-check';
import { portTrouble, toPort } from './port.js';

describe('toPort', () => {
  it('takes every port, with blanks around it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom('', ' ', '\t'), (port, blank) => {
        expect(toPort('BUS_PORT', `${blank}${port}${blank}`, 8_085)).toBe(port);
      }),
    );
  });

  it.each([undefined, '', '  '])('takes the default for %j', (value) => {
    expect(toPort('BUS_PORT', value, 8_085)).toBe(8_085);
  });

  it.each(['-1', '65536', '80.5', '0x50', '1e3', 'abc', '8085a', '123456789', 'Infinity'])(
    'refuses %j, and names the variable',
    (value) => {
      expect(() => toPort('BUS_PORT', value, 8_085, 0)).toThrow('BUS_PORT: expected a port from 0 to 65535');
    },
  );

  it('takes 0, any free port, only where it is allowed', () => {
    expect(toPort('--port', '0', 8_085, 0)).toBe(0);
    expect(() => toPort('BUS_PORT', '0', 8_085)).toThrow('expected a port from 1 to 65535');
  });
});

describe('portTrouble', () => {
  it.each([
    ['EADDRINUSE', /port 8085 is in use: .*BUS_PORT/],
    ['EACCES', /port 8085 is not for this user: .*BUS_PORT/],
  ])('says what to do after %s', (code, expected) => {
    const error = Object.assign(new Error('listen'), { code });
    expect(portTrouble(error, 8_085, 'set BUS_PORT')).toMatch(expected);
  });

  it.each([
    ['an error without a code', new Error('other')],
    ['what is no error', 'text'],
  ])('leaves %s alone', (_name, error) => {
    expect(portTrouble(error, 8_085, 'set BUS_PORT')).toBeUndefined();
  });
});
