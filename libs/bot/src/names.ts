import { createTopics } from '@bitbrat/envelope';

/** The bus's names for what a bot uses. Each has the prefix in front. */
export interface BotNames {
  readonly bot: string;
  /** The topic with all messages from the platforms. */
  readonly ingress: string;
  /** The topic that says what became of answers. */
  readonly outcome: string;
  /** The bot's subscription to `ingress`. */
  readonly messages: string;
  /** The bot's subscription to `outcome`. */
  readonly outcomes: string;
  /** Topic and subscription of what the bot cannot handle. */
  readonly setAside: string;
}

/** @param prefix `BUS_PREFIX` */
export function namesOf(bot: string, prefix: string): BotNames {
  const { ingress, outcome } = createTopics(prefix);
  return {
    bot,
    ingress,
    outcome,
    messages: `${prefix}bot.${bot}`,
    outcomes: `${prefix}bot.${bot}.outcomes`,
    setAside: `${prefix}bot.${bot}.set-aside`,
  };
}
