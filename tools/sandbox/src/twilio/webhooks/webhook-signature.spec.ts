import { signWebhook } from './webhook-signature.js';

describe('signWebhook', () => {
  it("matches the example of Twilio's security page", () => {
    const fields = {
      CallSid: 'CA1234567890ABCDE',
      Caller: '+14158675309',
      Digits: '1234',
      From: '+14158675309',
      To: '+18005551212',
    };
    const signed = signWebhook('https://mycompany.com/myapp.php?foo=1&bar=2', fields, 'form', '12345');
    expect(signed.headers['x-twilio-signature']).toBe('RSOYDt4T1cUTdK1PDd93/VVr8B8=');
  });

  it('orders by code unit, capitals before small letters', () => {
    const shuffled = signWebhook('http://h/', { a: '1', B: '2' }, 'form', 'key');
    const sorted = signWebhook('http://h/', { B: '2', a: '1' }, 'form', 'key');
    expect(shuffled).toEqual(sorted);
    expect(shuffled.body).toBe('B=2&a=1');
  });

  it('puts the hash of a JSON body into the URL', () => {
    const signed = signWebhook('http://h/path?x=1', { a: 'é' }, 'json', 'key');
    expect(signed.body).toBe('{"a":"é"}');
    expect(signed.url).toMatch(/^http:\/\/h\/path\?x=1&bodySHA256=[0-9a-f]{64}$/);
  });
});
