import { type Bot } from '@bitbrat/bot';

/** Your bot: its name and what it answers. */
export const bot: Bot = {
  name: 'typescript-bot',
  onMessage: async (message, { reply }) => {
    await reply(`You wrote: ${message.text}`);
  },
};
