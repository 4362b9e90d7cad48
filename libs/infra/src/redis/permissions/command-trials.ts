/** How a command is tried: on a key that holds a short text, or on a key beside it if the command would delete that. */
type Trial = (key: string) => readonly string[];

/**
 * One call per command that a process may need; it leaves nothing behind but the key itself. Most calls expect another
 * type than a string: a refusal for the type shows that the command is allowed.
 */
export const COMMAND_TRIALS: Readonly<Record<string, Trial>> = {
  DEL: (key) => [`${key}:none`],
  EXISTS: (key) => [key],
  GET: (key) => [key],
  GETRANGE: (key) => [key, '0', '0'],
  HDEL: (key) => [key, 'f'],
  HGET: (key) => [key, 'f'],
  HGETALL: (key) => [key],
  HINCRBY: (key) => [key, 'f', '1'],
  HMGET: (key) => [key, 'f'],
  HSCAN: (key) => [key, '0'],
  HSET: (key) => [key, 'f', '1'],
  INCRBY: (key) => [key, '1'],
  INFO: () => ['server'],
  'MEMORY USAGE': (key) => [key],
  MGET: (key) => [key],
  PEXPIRE: (key) => [key, '1000'],
  PING: () => [],
  PTTL: (key) => [key],
  SADD: (key) => [key, 'm'],
  SET: (key) => [key, 'x', 'PX', '1000'],
  SETRANGE: (key) => [key, '0', 'x'],
  SISMEMBER: (key) => [key, 'm'],
  SMEMBERS: (key) => [key],
  SREM: (key) => [key, 'm'],
  TIME: () => [],
  UNLINK: (key) => [`${key}:none`],
  XADD: (key) => [key, '*', 'f', 'v'],
  XRANGE: (key) => [key, '-', '+', 'COUNT', '1'],
  XREAD: (key) => ['COUNT', '1', 'STREAMS', key, '0-0'],
  ZADD: (key) => [key, '1', 'm'],
  ZCARD: (key) => [key],
  ZMSCORE: (key) => [key, 'm'],
  ZRANGE: (key) => [key, '0', '0'],
  ZRANGEBYSCORE: (key) => [key, '-inf', '+inf', 'LIMIT', '0', '1'],
  ZREM: (key) => [key, 'm'],
  ZREMRANGEBYRANK: (key) => [key, '0', '0'],
  ZREMRANGEBYSCORE: (key) => [key, '0', '0'],
  ZREVRANGE: (key) => [key, '0', '0'],
  ZSCORE: (key) => [key, 'm'],
};

/**
 * The calls that try these commands on this key, in the order of the commands; `before` creates the key, `after`
 * removes it.
 */
export function trialsOf(
  commands: readonly string[],
  key: string,
): { before: string[]; calls: string[][]; after: string[][] } {
  const calls = commands.map((command) => {
    const trial = COMMAND_TRIALS[command];
    if (!trial) throw new Error(`${command} is needed, but command-trials.ts does not say how it is tried`);
    return [...command.split(' '), ...trial(key)];
  });
  return { before: ['SET', key, 'x', 'PX', '1000'], calls, after: [['UNLINK', key]] };
}
