import { redisCommand } from '../redis-command.js';
import type { RedisServer } from '../redis-server.js';

/** Of a split on one machine: whoever is on a side connects as the user of that side, and each server knows one side's alone. */
export const sides = ['minority', 'majority'] as const;
export type Side = (typeof sides)[number];

export const SIDE_PASSWORD = 'x';

/** As who a client of this side connects, to Sentinels as well: `createRedisClient`, or ioredis itself. */
export function clientOf(side: Side) {
  return {
    username: side,
    password: SIDE_PASSWORD,
    sentinelUsername: side,
    sentinelPassword: SIDE_PASSWORD,
  } as const;
}

/** The users as lines of a configuration file. */
export const userLines = sides.map((side) => `user ${side} on >${SIDE_PASSWORD} +@all ~* &*`);

/** Nobody of the one side reaches a server of the other from now on; whoever is connected is cut off. */
export async function separate(minority: readonly RedisServer[], majority: readonly RedisServer[]): Promise<void> {
  await Promise.all([
    ...minority.map((server) => refuse(server, 'majority')),
    ...majority.map((server) => refuse(server, 'minority')),
  ]);
}

export async function rejoin(servers: readonly RedisServer[]): Promise<void> {
  await Promise.all(servers.map(({ port }) => Promise.all(sides.map((side) => setUser(port, side, 'on')))));
}

/** As `userLines` do, to a server that runs. */
export async function knowSides({ port }: RedisServer): Promise<void> {
  for (const side of sides) await setUser(port, side, 'on', `>${SIDE_PASSWORD}`, '+@all', '~*', '&*');
}

/** Who is refused as his user goes on as the default one, which is left to the test: it must not do what he came for. */
export async function deny({ port }: RedisServer, ...commands: readonly string[]): Promise<void> {
  await setUser(port, 'default', ...commands.map((command) => `-${command}`));
}

/** Who is connected comes back, as whom he has to be now. */
export async function cutEverybody({ port }: RedisServer): Promise<void> {
  for (const user of [...sides, 'default']) await redisCommand(port, 'CLIENT', 'KILL', 'USER', user);
}

async function refuse({ port }: RedisServer, side: Side): Promise<void> {
  await setUser(port, side, 'off');
  await redisCommand(port, 'CLIENT', 'KILL', 'USER', side);
}

async function setUser(port: number, user: string, ...rules: readonly string[]): Promise<void> {
  await redisCommand(port, 'ACL', 'SETUSER', user, ...rules);
}
