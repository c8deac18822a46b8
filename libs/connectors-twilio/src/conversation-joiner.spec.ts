import { ConnectorError } from '@bitbrat/connectors-core';
import { ConversationJoiner } from './conversation-joiner.js';

function create(): { added: string[]; failures: Error[]; joiner: ConversationJoiner } {
  const added: string[] = [];
  const failures: Error[] = [];
  const joiner = new ConversationJoiner(
    {
      addParticipant: (conversationSid, identity) => {
        added.push(`${identity} in ${conversationSid}`);
        const failure = failures.shift();
        return failure === undefined ? Promise.resolve() : Promise.reject(failure);
      },
    },
    'bot',
  );
  return { added, failures, joiner };
}

describe('ConversationJoiner', () => {
  it('joins once, however many ask at the same time and later', async () => {
    const { added, joiner } = create();
    await Promise.all([joiner.join('CH1'), joiner.join('CH1'), joiner.join('CH2')]);
    await joiner.join('CH1');
    expect(added).toEqual(['bot in CH1', 'bot in CH2']);
  });

  it('joins again after a failure', async () => {
    const { added, failures, joiner } = create();
    failures.push(new ConnectorError('UPSTREAM_UNAVAILABLE', 'no'));
    await expect(joiner.join('CH1')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await joiner.join('CH1');
    expect(added).toHaveLength(2);
  });

  it('believes the SDK about who is where', async () => {
    const { added, joiner } = create();
    joiner.remember('CH1');
    await joiner.join('CH1');
    joiner.forget('CH1');
    await joiner.join('CH1');
    expect(added).toEqual(['bot in CH1']);
  });
});
