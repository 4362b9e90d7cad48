import { LocalCache } from '@bff/infra/cache/local/local-cache';
import { LocalPartition, type ChainedInvalidation } from '@bff/infra/cache/local/local-partition';
import { History } from '@bff/infra/cache/store/redis/history';
import { L1Acknowledgements } from '@bff/infra/cache/store/redis/l1-acknowledgements';
import { PrimaryVouch } from '@bff/infra/redis/primary-vouch';
import type { RedisClient } from '@bff/infra/redis/redis-client';
import { FULL_TRUST } from '@bff/infra/redis/trust';

/**
 * What can be switched off, to prove that the checker would see it missing. The product has no such switches: this replaces
 * methods, and texts of scripts, in the process that asks for it.
 */
export const mechanisms = {
  /** `commit.lua` does not look whether a dependency was invalidated since the fetch began. */
  fence: (redis: RedisClient) =>
    editScript(redis, 'commit', /local function invalidatedSince\(.*\)\n/, '$&  if true then return false end\n'),
  /** An invalidation is acknowledged without waiting for the L1s. */
  'ack-wait': () => {
    L1Acknowledgements.prototype.settled = () => Promise.resolve();
  },
  /** An L1 does not notice that it has missed a message. */
  'gap-check': () => {
    const follow = LocalPartition.prototype.follow;
    LocalPartition.prototype.follow = function (this: LocalPartition, invalidation: ChainedInvalidation) {
      return follow.call(this, { ...invalidation, previousTip: this.processed.tip });
    };
  },
  /** An L1 serves without looking at its lease. */
  'lease-check': () => {
    LocalPartition.prototype.isLive = () => true;
  },
  /** The process that invalidates leaves its own L1 to the bus. */
  'own-drop': () => {
    LocalCache.prototype.invalidateOwn = () => undefined;
  },
  /** An L1 keeps what a reply brings, whatever was invalidated meanwhile. */
  'keep-check': () => {
    LocalPartition.prototype.mayKeep = () => true;
  },
  /** A superseded builder may commit. */
  overtaking: (redis: RedisClient) =>
    editScript(redis, 'commit', /if lease and lease ~= leaseId or not lease and isThere then/, 'if false then'),
  /** A Redis that comes back with an older state is trusted. */
  adoption: trustAnyServer,
  /** A script does not look whether the slot of its partition is moving. */
  'slot-check': ignoreOpenSlots,
  /** A script that finds the slot moving refuses, and leaves the gate as it is. */
  'gate-spoiling': (redis: RedisClient) =>
    editAllScripts(redis, /if type\(text\) == 'string' and text:sub\(1, 1\) ~= '!' then/, 'if false then'),
  /** What has come from another server is taken for what was written here. */
  'server-check': trustOtherServers,
  /** A process believes what shows less than it has seen, and asks for nothing that it remembers. */
  'history-check': rememberNothing,
  /** Both: where a primary takes older data over, each stands in for the other, but for a moment. */
  'older-data-checks': (redis: RedisClient) => {
    trustAnyServer(redis);
    rememberNothing();
  },
  /**
   * All three. Where a slot moves each of them stands in for the others, nearly always: the destination is another server, and what
   * was acknowledged last is missing there. Only the models tell which interleaving needs which.
   */
  'move-checks': (redis: RedisClient) => {
    ignoreOpenSlots(redis);
    trustAnyServer(redis);
    rememberNothing();
  },
  /** The server that this process is connected to is taken for the primary, whatever the others say. */
  vouch: () => {
    PrimaryVouch.prototype.trustOf = () => FULL_TRUST;
    PrimaryVouch.prototype.leaseEndOf = () => Infinity;
    PrimaryVouch.prototype.confirmed = () => Promise.resolve(undefined);
  },
  /** A build that somebody asked for who wanted nothing older takes the place of the older one, and nobody is told. */
  'rebuild-announcement': (redis: RedisClient) =>
    editScript(redis, 'commit', /if ARGV\[18\] == '' or not .* then\n/, 'if true then\n'),
} satisfies Record<string, (redis: RedisClient) => void>;

export type Mechanism = keyof typeof mechanisms;

/** Call it before the cache is made on this connection. */
export function switchOff(mechanism: Mechanism, redis: RedisClient): void {
  mechanisms[mechanism](redis);
}

function ignoreOpenSlots(redis: RedisClient): void {
  editAllScripts(redis, /redis\.pcall\('MGET', G, T \.\. ':\?'\)/, "{ R('GET', G) }");
}

function trustAnyServer(redis: RedisClient): void {
  editScript(redis, 'adopt', / and recalls\(.*\)/, '');
  trustOtherServers(redis);
}

function trustOtherServers(redis: RedisClient): void {
  editScript(redis, 'adopt', /R\('HGET', M, 'home'\) == home/, 'true');
  editAllScripts(redis, /if R\('HGET', M, 'home'\) ~= /, "if false and R('HGET', M, 'home') ~= ");
}

function rememberNothing(): void {
  History.prototype.judge = () => 'yes';
  Object.defineProperty(History.prototype, 'known', { get: () => ['-1', '', ''] });
}

/** Changes the text of a script as it is defined. What does not fit any more fails loudly: a proof must not prove nothing. */
function editScript(redis: RedisClient, script: string, what: RegExp, by: string): void {
  edit(redis, (name) => name.endsWith(`_${script}`), what, by);
}

/** Likewise the part that all scripts of a partition share: one that nobody waits for would still do what the others do not. */
function editAllScripts(redis: RedisClient, what: RegExp, by: string): void {
  edit(redis, (_, lua) => lua.includes('local function useOwn('), what, by);
}

function edit(redis: RedisClient, isMeant: (name: string, lua: string) => boolean, what: RegExp, by: string): void {
  const define = redis.defineCommand.bind(redis);
  redis.defineCommand = (name, definition) => {
    const { lua = '' } = definition;
    if (!isMeant(name, lua)) return define(name, definition);
    const edited = lua.replace(what, by);
    if (edited === lua) throw new Error(`${name} holds nothing like ${what}: adapt the checker to it`);
    return define(name, { ...definition, lua: edited });
  };
}
