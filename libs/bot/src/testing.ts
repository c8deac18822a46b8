export { type MessageOptions, People } from './testing/people.js';
export { type Exchange, type Say, type TestBot, testBot } from './testing/test-bot.js';
