/** The one place that reads the environment: a bot's program has no other code of ours. */
export const processEnvironment = (): Readonly<Record<string, string | undefined>> => process.env;
