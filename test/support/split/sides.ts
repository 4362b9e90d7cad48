import { redisCommand } from '../redis/redis-command.js';
import type { RedisServer } from '../redis/redis-server.js';

/**
 * The sides of a split on one machine. Each client and server connects as its side's user; in a split, each server
 * accepts only its own side's user.
 */
export const sides = ['minority', 'majority'] as const;
export type Side = (typeof sides)[number];

export const SIDE_PASSWORD = 'x';

/** The credentials of a client of this side, for Sentinels too: for `createRedisClient`, or ioredis itself. */
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

/** From now on no client of one side reaches a server of the other; existing connections are cut. */
export async function separate(minority: readonly RedisServer[], majority: readonly RedisServer[]): Promise<void> {
  await Promise.all([
    ...minority.map((server) => refuse(server, 'majority')),
    ...majority.map((server) => refuse(server, 'minority')),
  ]);
}

export async function rejoin(servers: readonly RedisServer[]): Promise<void> {
  await Promise.all(servers.map(({ port }) => Promise.all(sides.map((side) => setUser(port, side, 'on')))));
}

/** Adds the users of `userLines` to a running server. */
export async function knowSides({ port }: RedisServer): Promise<void> {
  for (const side of sides) await setUser(port, side, 'on', `>${SIDE_PASSWORD}`, '+@all', '~*', '&*');
}

/**
 * Denies commands to the default user. A server that is refused as the user of its side goes on as the default user,
 * which the test needs. With these commands denied it cannot do its work that way.
 */
export async function deny({ port }: RedisServer, ...commands: readonly string[]): Promise<void> {
  await setUser(port, 'default', ...commands.map((command) => `-${command}`));
}

/** Disconnects the clients of these users; each client reconnects as the user that it is now configured to be. */
export async function cutEverybody(
  { port }: RedisServer,
  users: readonly string[] = [...sides, 'default'],
): Promise<void> {
  for (const user of users) await redisCommand(port, 'CLIENT', 'KILL', 'USER', user);
}

async function refuse({ port }: RedisServer, side: Side): Promise<void> {
  await setUser(port, side, 'off');
  await redisCommand(port, 'CLIENT', 'KILL', 'USER', side);
}

async function setUser(port: number, user: string, ...rules: readonly string[]): Promise<void> {
  await redisCommand(port, 'ACL', 'SETUSER', user, ...rules);
}
