import { parseAddress } from './address.js';

describe('parseAddress', () => {
  it.each([
    ['+15550100', 'sms', '+15550100'],
    ['whatsapp:+15550100', 'whatsapp', '+15550100'],
    ['messenger:+15550100', 'messenger', '+15550100'],
    ['system', 'chat', 'system'],
    ['+not a number', 'chat', '+not a number'],
    ['whatsapp:bob', 'chat', 'whatsapp:bob'],
    ['', 'chat', ''],
  ])('%p is %s %s', (author, channelType, address) => {
    expect(parseAddress(author)).toEqual({ channelType, address });
  });
});
