import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testBot } from '@bitbrat/bot/testing';
import { bot } from './bot.js';

test('answers an SMS with its text', async () => {
  const { answers } = await testBot(bot).sms('hello');
  assert.deepEqual(
    answers.map(({ text }) => text),
    ['You wrote: hello'],
  );
});

test('answers where the message came from, on every platform', async () => {
  const { discord, twitch } = testBot(bot);
  for (const say of [discord, twitch]) {
    const { answers, message } = await say('hello');
    assert.equal(answers[0]?.target.destination, message.replyTo.destination);
  }
});
