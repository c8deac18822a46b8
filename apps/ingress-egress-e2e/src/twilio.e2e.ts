import { type MessageView } from '@bitbrat/sandbox';
import { BUSES, type BusServer, describeOnBus, startBusServer } from './support/bus-server.js';
import { waitUntil } from './support/wait-until.js';
import { World } from './support/world.js';

const BOT = 'bitbrat';
/** A one-pixel PNG. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

for (const bus of BUSES) {
  const body = (): void => {
    let server: BusServer | undefined;
    let world: World;

    beforeAll(async () => {
      server = await startBusServer(bus);
      world = await World.start(server);
    });
    afterAll(async () => {
      const code = await world.stop();
      await server?.stop();
      expect(code).toBe(0);
    });

    const answers = (conversationSid: string): MessageView[] =>
      world.sandbox.twilio.messages(conversationSid).filter(({ author }) => author === BOT);
    const waitForAnswers = (conversationSid: string, count: number): Promise<MessageView[]> =>
      waitUntil(`${count} answers in ${conversationSid}`, () => {
        const found = answers(conversationSid);
        return found.length >= count ? found : undefined;
      });

    it('answers the first SMS of a new number: the bot joins by webhook and reads what was written before', async () => {
      const receipt = await world.sandbox.twilio.receiveMessage({ from: '+15550101', body: 'hello 👋🏽' });
      const [answer] = await waitForAnswers(receipt.conversationSid, 1);
      expect(answer?.body).toBe('hello 👋🏽');
      expect(answer?.attributes).toMatchObject({
        bitbrat: { eventId: `reply:twilio:${receipt.messageSid}`, part: 1, parts: 1 },
      });
    });

    it('keeps 50 conversations side by side in order', async () => {
      const numbers = Array.from({ length: 50 }, (_, index) => `+1555020${String(index).padStart(2, '0')}`);
      const sids = new Map<string, string>();
      for (let round = 1; round <= 4; round += 1) {
        await Promise.all(
          numbers.map(async (from) => {
            const receipt = await world.sandbox.twilio.receiveMessage({ from, body: `${from} ${round}` });
            sids.set(from, receipt.conversationSid);
          }),
        );
      }
      for (const [from, sid] of sids) {
        const bodies = (await waitForAnswers(sid, 4)).map(({ body }) => body);
        expect(bodies).toEqual([1, 2, 3, 4].map((round) => `${from} ${round}`));
      }
    });

    it('takes an MMS without text with its picture', async () => {
      const receipt = await world.sandbox.twilio.receiveMessage({
        from: '+15550102',
        media: { contentType: 'image/png', filename: 'pixel.png', base64: PIXEL },
      });
      const [answer] = await waitForAnswers(receipt.conversationSid, 1);
      expect(answer?.body).toBe('(1 attachments)');
      if (world.recorder === undefined) return;
      const envelope = await waitUntil('the envelope', () =>
        world.bus.envelopes.find(({ id }) => id === `twilio:${receipt.messageSid}`),
      );
      expect(envelope).toMatchObject({
        text: '',
        attachments: [{ contentType: 'image/png', fileName: 'pixel.png', size: 70 }],
      });
      const picture = await fetch(envelope.attachments[0]?.url ?? '');
      expect(Buffer.from(await picture.arrayBuffer()).toString('base64')).toBe(PIXEL);
    });

    it('takes WhatsApp, and answers it there', async () => {
      const receipt = await world.sandbox.twilio.receiveMessage({ from: 'whatsapp:+15550103', body: 'hola' });
      const [answer] = await waitForAnswers(receipt.conversationSid, 1);
      expect(answer?.body).toBe('hola');
    });

    it('splits a long answer at 1,600 characters, loses none and keeps the order', async () => {
      const text = Array.from({ length: 700 }, (_, index) => `word${index}`).join(' ');
      const receipt = await world.sandbox.twilio.receiveMessage({ from: '+15550104', body: text });
      const parts = await waitUntil('the whole answer', () => {
        const found = answers(receipt.conversationSid);
        return found.map(({ body }) => body).join('').length >= text.length ? found : undefined;
      });
      expect(parts.map(({ body }) => body).join('')).toBe(text);
      expect(parts.length).toBeGreaterThan(3);
      expect(Math.max(...parts.map(({ body }) => body?.length ?? 0))).toBeLessThanOrEqual(1_600);
    });

    it('sends each answer once', () => {
      const { twilio } = world.sandbox;
      for (const { sid } of twilio.conversations()) {
        const keys = answers(sid).map(({ attributes }) => JSON.stringify(attributes));
        expect(new Set(keys).size).toBe(keys.length);
        const written = twilio.messages(sid).length - keys.length;
        const events = new Set(
          answers(sid).map(
            ({ attributes }) => (attributes as { bitbrat: { eventId: string } }).bitbrat.eventId,
          ), // as the connector writes them
        );
        expect(events.size).toBe(written);
      }
    });

    it('shows a snapshot without a secret or a whole number, and logs neither', async () => {
      const snapshot = await (await fetch(`${world.service.url}/_debug/twilio`)).text();
      expect(JSON.parse(snapshot)).toMatchObject({ name: 'twilio', state: { status: 'connected' } });
      const { environment, service } = world;
      const logs = JSON.stringify(service.logs);
      for (const secret of [environment['TWILIO_AUTH_TOKEN'], environment['TWILIO_API_SECRET'], '+1555010']) {
        expect(secret).toBeDefined();
        expect(snapshot).not.toContain(secret);
        expect(logs).not.toContain(secret);
      }
      expect(logs).not.toContain('hello 👋🏽');
    });
  };
  const name = `SMS through the built service on the ${bus} bus`;
  describeOnBus(bus, name, body);
}
