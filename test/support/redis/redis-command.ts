import { Redis } from 'ioredis';

/** How long a running server may take to accept the connection, and then to answer, on a loaded machine. */
const ANSWER_MS = 5_000;

/**
 * Sends one command, once, on its own connection to exactly this server of 127.0.0.1, and resolves with its reply.
 * Rejects if the server is away or stopped, or refuses the command. Follows no redirections.
 */
export async function redisCommand(port: number, name: string, ...args: (string | number)[]): Promise<unknown> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
  });
  redis.on('error', () => undefined); // the command rejects with it
  try {
    await redis.connect();
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

/** Sends a command whose reply consists of lines `name:value`, such as INFO, and resolves with the values by name. */
export async function redisFacts(port: number, name: string, ...args: string[]): Promise<ReadonlyMap<string, string>> {
  const text = String(await redisCommand(port, name, ...args));
  return new Map(
    text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
    }),
  );
}
