import { L1Cache } from '@bff/infra/cache/l1/l1-cache';
import { L1Partition, type ChainedInvalidation } from '@bff/infra/cache/l1/l1-partition';
import { History } from '@bff/infra/cache/store/redis/partition/partition';
import { L1Acknowledgements } from '@bff/infra/cache/store/redis/l1/l1-acknowledgements';
import { PrimaryVouch } from '@bff/infra/redis/primary-vouch';
import type { RedisClient } from '@bff/infra/redis/redis-client';
import { FULL_TRUST } from '@bff/infra/redis/trust';

/**
 * Mechanisms that can be switched off, to prove that the checker notices their absence. The product has no such
 * switches: this code replaces methods and texts of scripts in the process that requests it.
 */
export const mechanisms = {
  /** `commit.lua` does not check whether a dependency was invalidated since the fetch began. */
  fence: (redis: RedisClient) =>
    editScript(redis, 'commit', /local function invalidatedSince\(.*\)\n/, '$&  if true then return false end\n'),
  /** An invalidation is acknowledged without waiting for the L1s. */
  'ack-wait': () => {
    L1Acknowledgements.prototype.settled = () => Promise.resolve();
  },
  /** An L1 does not notice that it has missed a message. */
  'gap-check': () => {
    const follow = L1Partition.prototype.follow;
    L1Partition.prototype.follow = function (this: L1Partition, invalidation: ChainedInvalidation) {
      return follow.call(this, { ...invalidation, previousTip: this.processed.tip });
    };
  },
  /** An L1 serves without a check of its lease. */
  'lease-check': () => {
    L1Partition.prototype.isLive = () => true;
  },
  /** An L1 does not look whether an entry was invalidated that its sweep has not removed yet. */
  'dead-check': () => {
    L1Partition.prototype.isDead = () => false;
  },
  /** A process that invalidates does not drop anything from its own L1 itself; only the message on the bus does. */
  'own-drop': () => {
    L1Cache.prototype.invalidateOwn = () => undefined;
  },
  /** An L1 keeps the value of a reply, even if it was invalidated meanwhile. */
  'keep-check': () => {
    L1Partition.prototype.mayKeep = () => true;
  },
  /** A superseded builder may commit. */
  overtaking: (redis: RedisClient) =>
    editScript(redis, 'commit', /if lease and lease ~= leaseId or not lease and isThere then/, 'if false then'),
  /** A Redis that comes back with an older state is trusted. */
  adoption: trustAnyServer,
  /** A script does not check whether the slot of its partition is moving. */
  'slot-check': ignoreOpenSlots,
  /** A script that finds the slot moving refuses, but leaves the gate as it is. */
  'gate-spoiling': (redis: RedisClient) =>
    editAllScripts(redis, /if type\(text\) == 'string' and text:sub\(1, 1\) ~= '!' then/, 'if false then'),
  /** Data that came from another server is taken for data that was written here. */
  'server-check': trustOtherServers,
  /** A process accepts a history that shows less than it has seen, and sends nothing of what it remembers. */
  'history-check': rememberNothing,
  /**
   * Neither `adoption` nor `history-check`. When a primary takes over older data, each covers for the other except for
   * a moment.
   */
  'older-data-checks': (redis: RedisClient) => {
    trustAnyServer(redis);
    rememberNothing();
  },
  /**
   * Neither `slot-check` nor `adoption` nor `history-check`. When a slot moves, each nearly always covers for the
   * others: the destination is another server, and the last acknowledged writes are missing there. Only the models show
   * which interleaving needs which mechanism.
   */
  'move-checks': (redis: RedisClient) => {
    ignoreOpenSlots(redis);
    trustAnyServer(redis);
    rememberNothing();
  },
  /** The server that this process is connected to counts as the primary, whatever the others say. */
  vouch: () => {
    PrimaryVouch.prototype.trustOf = () => FULL_TRUST;
    PrimaryVouch.prototype.leaseEndOf = () => Infinity;
    PrimaryVouch.prototype.confirmed = () => Promise.resolve(undefined);
  },
  /** A build for a caller with `maxAgeSeconds` replaces the older value, and no L1 receives a message. */
  'rebuild-announcement': (redis: RedisClient) =>
    editScript(redis, 'commit', /if newTip == '' or not .* then\n/, 'if true then\n'),
} satisfies Record<string, (redis: RedisClient) => void>;

export type Mechanism = keyof typeof mechanisms;

/** Call it before the cache is made on this connection. */
export function switchOff(mechanism: Mechanism, redis: RedisClient): void {
  mechanisms[mechanism](redis);
}

/** From now on the L1s of this process mark and sweep what more than two entries depend on. */
export function sweepSoon(): void {
  if (!('areMany' in L1Cache.prototype)) throw new Error('L1Cache has no areMany: adapt the checker to it');
  Object.defineProperty(L1Cache.prototype, 'areMany', { value: (entries: number) => entries > 2 });
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

/**
 * Changes the text of a script when it is defined. If the pattern no longer matches, it throws: a proof must not pass
 * vacuously.
 */
function editScript(redis: RedisClient, script: string, what: RegExp, by: string): void {
  edit(redis, (name) => name.endsWith(`_${script}`), what, by);
}

/**
 * Changes the part that all scripts of a partition share, and does so in every script. One unchanged script would keep
 * the mechanism alive.
 */
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
