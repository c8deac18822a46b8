import { type IngressGap } from '@bitbrat/connectors-core';
import { toGap } from '../session/presence.js';

/**
 * What is missed in channels that the bot is not in; of those that it is out of since the same moment as one gap. None where nothing is
 * certain to have been heard since.
 * @param absences by channel, since when, in milliseconds since 1970
 * @param until up to when the other channels are heard: what comes later is another gap, of all
 */
export function toChannelGaps(
  absences: ReadonlyMap<string, number>,
  now: number,
  until: number,
): readonly IngressGap[] {
  const bySince = new Map<number, string[]>();
  for (const [channel, since] of absences) bySince.set(since, [...(bySince.get(since) ?? []), channel]);
  return [...bySince]
    .sort(([a], [b]) => a - b)
    .map(([since, channels]) => {
      const names = channels.map((channel) => `#${channel}`).join(', ');
      return toGap({ since, reason: `the bot was not in ${names}` }, now, until);
    })
    .filter(({ from, to }) => from < to);
}
