import { maskPhoneNumbers } from './masking.js';

describe('maskPhoneNumbers', () => {
  it.each([
    ['+15551234567', '+1555***4567'],
    ['+6831234', '+***1234'],
    ['+15550100', '+1***0100'],
    ['+493012345', '+49***2345'],
    ['+4915112345678', '+4915***5678'],
    ['+881612345678901', '+8816***8901'],
    ['+1555123456789012345678', '+1555***5678'],
    ['whatsapp:+15551234567', 'whatsapp:+1555***4567'],
    ['/lookup?From=%2B15551234567&To=%2b15557654321', '/lookup?From=%2B1555***4567&To=%2b1555***4321'],
    ['from +15551234567 to +4915112345678.', 'from +1555***4567 to +4915***5678.'],
    ['+15551234567+15557654321', '+1555***4567+1555***4321'],
    ['{"author":"+15551234567","n":1}', '{"author":"+1555***4567","n":1}'],
  ])('%s -> %s', (text, expected) => {
    expect(maskPhoneNumbers(text)).toBe(expected);
    expect(maskPhoneNumbers(expected)).toBe(expected);
  });

  it.each([
    '',
    'hello',
    '1 + 1 = 2',
    '+123456',
    '2026-03-01T12:00:00+01:00',
    'CH0123456789abcdef0123456789abcdef',
  ])('leaves %j alone', (text) => {
    expect(maskPhoneNumbers(text)).toBe(text);
  });

  it('shows no number whole, and hides three digits at least', () => {
    for (let digits = 7; digits <= 15; digits++) {
      const number = `+${'123456789012345'.slice(0, digits)}`;
      expect(maskPhoneNumbers(number).replaceAll(/\D/g, '').length).toBeLessThanOrEqual(digits - 3);
    }
  });
});
