import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Redis } from 'ioredis';
import type { HostAndPort } from '../connecting/redis-address.js';
import type { SentinelOptions } from '../connecting/sentinel-watch.js';
import { Topology, type Receiver, type Testimony } from './topology.js';
import { keyOf, witnessConnection } from './witnesses.js';

/** Maximum number of Sentinels learned in addition to the configured ones. */
const LEARNED_MAX = 16;
/** A primary's host name is resolved again after this time. */
const NAMED_MS = 10_000;
/** Maximum number of host names whose addresses are remembered; at one more, all are forgotten. */
const NAMES_MAX = 64;

/** Sentinels as witnesses: they decide about one primary, so there is one place. */
export class SentinelTopology extends Topology {
  readonly witnessName = 'Sentinels';
  readonly places = 1;
  private readonly known = new Map<string, HostAndPort>();
  /** Ids of the Sentinels that have answered. One Sentinel may be known by several addresses. */
  private readonly ids = new Set<string>();
  private readonly named = new Map<string, { readonly at: number; readonly address: Promise<string> }>();

  constructor(
    private readonly client: Redis,
    private readonly options: SentinelOptions,
  ) {
    super();
    for (const sentinel of options.sentinels) this.known.set(keyOf(sentinel), sentinel);
  }

  witnesses(): readonly HostAndPort[] {
    return [...this.known.values()];
  }

  connect({ host, port }: HostAndPort): Redis {
    const { username, password, tls, timeoutMs } = this.options;
    return witnessConnection({
      host,
      port,
      ...(username ? { username } : {}),
      ...(password ? { password } : {}),
      ...(tls ? { tls } : {}),
      connectTimeout: timeoutMs,
      disableClientInfo: true, // a Sentinel user may be allowed only the commands used here
    });
  }

  async ask(redis: Redis): Promise<Testimony> {
    const { name } = this.options;
    const [id, reply] = (await Promise.all([
      redis.call('SENTINEL', 'MYID'),
      redis.call('SENTINEL', 'MASTER', name),
    ])) as [string, string[]];
    const state = fieldsOf(reply);
    const flags = (state.get('flags') ?? '').split(',');
    const count = Number(state.get('num-other-sentinels')) + 1;
    this.ids.add(id);
    if (this.ids.size < count) this.learn((await redis.call('SENTINEL', 'SENTINELS', name)) as string[][]);
    const isReplacing = flags.includes('failover_in_progress');
    const word = {
      primary: await this.nameOf({ host: state.get('ip') ?? '', port: Number(state.get('port')) }),
      epoch: Number(state.get('config-epoch')),
      isFine: !isReplacing && !flags.includes('s_down') && !flags.includes('o_down'),
      isReplacing,
    };
    // A failover needs `quorum` Sentinels that find the primary down; with this many that do not, too few are left.
    return { witness: id, isVoter: true, needed: Math.max(1, count - Number(state.get('quorum')) + 1), words: [word] };
  }

  receiver(): Receiver | undefined {
    const { stream } = this.client as { readonly stream?: Redis['stream'] };
    const { remoteAddress, remotePort } = (stream ?? {}) as { remoteAddress?: string; remotePort?: number };
    if (!remoteAddress || this.client.status !== 'ready') return undefined;
    return { primary: `${plain(remoteAddress)}:${remotePort}`, server: stream };
  }

  /** Names the server by the connection to it: each connection leads to one server. */
  serverOf(): () => unknown {
    return () => this.client.stream;
  }

  leave(): boolean {
    if (this.client.status !== 'ready') return false;
    this.client.disconnect(true);
    return true;
  }

  watch(lost: () => void, made: () => void): () => void {
    this.client.on('close', lost).on('ready', made);
    return () => this.client.off('close', lost).off('ready', made);
  }

  /** Remembers the other Sentinels: the configured ones may be gone, or too few to vouch. */
  private learn(others: readonly string[][]): void {
    for (const fields of others.map(fieldsOf)) {
      const sentinel = { host: fields.get('ip') ?? '', port: Number(fields.get('port')) };
      const isFull = this.known.size >= this.options.sentinels.length + LEARNED_MAX;
      if (sentinel.host && sentinel.port > 0 && !isFull) this.known.set(keyOf(sentinel), sentinel);
    }
  }

  /** The address in the form in which a socket that is connected to it reports it. */
  private async nameOf({ host, port }: HostAndPort): Promise<string> {
    if (isIP(host)) return `${plain(host)}:${port}`;
    const now = performance.now();
    let known = this.named.get(host);
    if (!known || now - known.at > NAMED_MS) {
      if (this.named.size >= NAMES_MAX) this.named.clear();
      known = { at: now, address: lookup(host).then(({ address }) => plain(address)) };
      this.named.set(host, known);
      known.address.catch(() => this.named.delete(host));
    }
    return `${await known.address}:${port}`;
  }
}

/** An IPv4 address without the prefix that an IPv6 socket gives it. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function fieldsOf(reply: readonly string[]): ReadonlyMap<string, string> {
  return new Map(reply.flatMap((name, i) => (i % 2 === 0 ? [[name, reply[i + 1] ?? ''] as const] : [])));
}
