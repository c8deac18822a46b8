import { ConnectorError, type SendOptions, type SendReceipt } from '@bitbrat/connectors-core';
import { type BrokenConnector } from './broken-connector.js';
import { FakeConnector } from './fake-connector.js';

const nothing = { platformMessageIds: ['made-up'], duplicate: false };
const PARTIAL =
  'a text of which a part is refused says what has arrived, and goes on from there when tried again';

type SendCall = Parameters<FakeConnector['sendText']>;

/** Flaws on the way to the platform. */
export const brokenOutbound: readonly BrokenConnector[] = [
  [
    'says sent and sends nothing',
    'a text arrives, and the receipt names it',
    class extends FakeConnector {
      protected override send(): Promise<SendReceipt> {
        return Promise.resolve(nothing);
      }
    },
  ],
  [
    'has one id for all that it sends',
    'a text arrives, and the receipt names it',
    class extends FakeConnector {
      protected override async send(...call: SendCall): Promise<SendReceipt> {
        await super.send(...call);
        return nothing;
      }
    },
  ],
  [
    'takes the same text for the same message',
    'a text arrives, and the receipt names it',
    class extends FakeConnector {
      protected override send(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
        return super.send(text, destination, { ...options, idempotencyKey: text, mayHaveBeenSent: true });
      }
    },
  ],
  [
    'does not say which parts have arrived',
    PARTIAL,
    class extends FakeConnector {
      protected override async send(...call: SendCall): Promise<SendReceipt> {
        return super.send(...call).catch((error: unknown) => {
          throw error instanceof ConnectorError ? new ConnectorError(error.code, error.message) : error;
        });
      }
    },
  ],
  [
    'sends a text from its beginning again',
    PARTIAL,
    class extends FakeConnector {
      protected override send(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
        return super.send(text, destination, { ...options, mayHaveBeenSent: false });
      }
    },
  ],
  [
    'cuts a long text off',
    'a long text arrives whole, in order, within the limit',
    class extends FakeConnector {
      protected override toParts(text: string): string[] {
        return super.toParts(text).slice(0, 1);
      }
    },
  ],
  [
    'sends what has expired',
    'a message that has expired is not sent',
    class extends FakeConnector {
      protected override send(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
        return super.send(text, destination, { ...options, expiresAt: Infinity });
      }
    },
  ],
  [
    'sends the last part first',
    'a long text arrives whole, in order, within the limit',
    class extends FakeConnector {
      protected override toParts(text: string): string[] {
        return super.toParts(text).reverse();
      }
    },
  ],
  [
    'sends more than the limit',
    'a long text arrives whole, in order, within the limit',
    class extends FakeConnector {
      protected override toParts(text: string): string[] {
        return [super.toParts(text).join('')];
      }
    },
  ],
  [
    'cuts emoji',
    '10,000 characters of emoji families arrive with none cut',
    class extends FakeConnector {
      protected override toParts(text: string): string[] {
        return text.match(/[^]{1,200}/g) ?? [];
      }
    },
  ],
  [
    'loses line breaks',
    'line breaks arrive where the platform has them',
    class extends FakeConnector {
      protected override toParts(text: string): string[] {
        return super.toParts(text.replaceAll('\n', ''));
      }
    },
  ],
  ...(
    [
      'a text that may have been sent is sent once',
      'a long text that may have been sent is sent once',
      'a send whose answer is lost is not sent again',
    ] as const
  ).map(
    (caseName) =>
      [
        'sends again without looking',
        caseName,
        class extends FakeConnector {
          protected override send(
            text: string,
            destination: string,
            options: SendOptions,
          ): Promise<SendReceipt> {
            return super.send(text, destination, { ...options, mayHaveBeenSent: false });
          }
        },
      ] as const,
  ),
  [
    'takes what may have been sent for sent',
    'a text that may have been sent is sent once',
    class extends FakeConnector {
      protected override send(...call: SendCall): Promise<SendReceipt> {
        return call[2].mayHaveBeenSent
          ? Promise.resolve({ ...nothing, duplicate: true })
          : super.send(...call);
      }
    },
  ],
  [
    'swallows faults of the platform',
    'a send that the platform cannot take now is sent once when tried again',
    class extends FakeConnector {
      protected override send(...call: SendCall): Promise<SendReceipt> {
        return super.send(...call).catch(() => nothing);
      }
    },
  ],
  [
    'rejects with what the platform threw',
    'a send that the platform cannot take now is sent once when tried again',
    class extends FakeConnector {
      override sendText(...call: SendCall): Promise<SendReceipt> {
        return this.send(...call);
      }
    },
  ],
  [
    'takes a passing fault for a final one',
    'a send that the platform cannot take now is sent once when tried again',
    class extends FakeConnector {
      protected override toConnectorError(): ConnectorError {
        return new ConnectorError('FORBIDDEN', 'no');
      }
    },
  ],
  [
    'takes a lost answer for a message not sent',
    'a send whose answer is lost is not sent again',
    class extends FakeConnector {
      protected override toConnectorError(): ConnectorError {
        return new ConnectorError('NOT_CONNECTED', 'lost');
      }
    },
  ],
  [
    'tries again by itself after a lost answer',
    'a send whose answer is lost is not sent again',
    class extends FakeConnector {
      protected override send(...call: SendCall): Promise<SendReceipt> {
        return super.send(...call).catch(() => super.send(...call));
      }
    },
  ],
  [
    'has no code for an unknown destination',
    'an unknown destination is TARGET_NOT_FOUND, final',
    class extends FakeConnector {
      protected override toConnectorError(): ConnectorError {
        return new ConnectorError('INTERNAL', 'something');
      }
    },
  ],
  [
    'creates a destination that is unknown',
    'an unknown destination is TARGET_NOT_FOUND, final',
    class extends FakeConnector {
      protected override send(...call: SendCall): Promise<SendReceipt> {
        this.platform.createChannel(call[1]);
        return super.send(...call);
      }
    },
  ],
  [
    'sends empty texts',
    'an empty text is PAYLOAD_INVALID',
    class extends FakeConnector {
      protected override toParts(text: string): string[] {
        return [text];
      }
    },
  ],
  [
    'keeps texts until it is connected',
    'sendText before start and after stop is NOT_CONNECTED',
    class extends FakeConnector {
      readonly #kept: SendCall[] = [];
      protected override async send(...call: SendCall): Promise<SendReceipt> {
        if (this.session !== undefined) return super.send(...call);
        this.#kept.push(call);
        return nothing;
      }
      protected override async connect(): Promise<void> {
        await super.connect();
        for (const call of this.#kept.splice(0)) await super.send(...call);
      }
    },
  ],
  [
    'sends what was aborted',
    'an aborted send rejects and sends nothing',
    class extends FakeConnector {
      protected override send(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
        const { signal: _signal, ...rest } = options;
        return super.send(text, destination, rest);
      }
    },
  ],
  [
    'rejects an aborted send, having sent it',
    'an aborted send rejects and sends nothing',
    class extends FakeConnector {
      protected override async send(
        text: string,
        destination: string,
        options: SendOptions,
      ): Promise<SendReceipt> {
        const { signal, ...rest } = options;
        const receipt = await super.send(text, destination, rest);
        if (signal?.aborted === true) throw new ConnectorError('TIMEOUT', 'aborted');
        return receipt;
      }
    },
  ],
  [
    'drops attachments without a word',
    'more attachments than the platform takes are UNSUPPORTED',
    class extends FakeConnector {
      protected override send(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
        return super.send(text, destination, { ...options, attachments: [] });
      }
    },
  ],
];
