import { runBot } from '@bitbrat/bot';
import { bot } from './bot.js';

await runBot(bot);
