import { Cluster, type Redis } from 'ioredis';
import type { HostAndPort } from './redis-address.js';
import { ServerConnector } from './server-connector.js';
import { mayBeTlsMismatch, tlsMismatch } from './tls-mismatch.js';

const failures = new WeakMap<Redis | Cluster, string>();

/** What a client that has never been ready found out about TLS; it explains the failures that follow. */
const mismatches = new WeakMap<Redis | Cluster, string>();

/** A server is asked again what it speaks after this time at the earliest. */
const ASK_AGAIN_MS = 10_000;

/** Errors of ioredis' own steps on a connection that is already given up; the cause was reported before. */
const CONSEQUENCE = /^(Stream isn't writeable|Connection is closed)/;

/** Fields that a client's error events may carry. */
interface ClientError extends Error {
  readonly command?: { readonly name?: string; readonly args?: readonly unknown[] };
  readonly lastNodeError?: Error;
}

/**
 * Why the client is away, in words and without secrets; undefined if nothing has failed since it was last ready. It is
 * the newest error event of ioredis that was no mere consequence of an earlier one.
 */
export function lastFailure(client: Redis | Cluster): string | undefined {
  return mismatches.get(client) ?? failures.get(client);
}

/** Why the client will not connect before its configuration or its server changes; undefined if that is not known. */
export function lastingFailure(client: Redis | Cluster): string | undefined {
  return mismatches.get(client);
}

/**
 * Keeps the newest failure of a client for `lastFailure`. A database that cannot be selected counts as a failed
 * connection: ioredis alone would report it and continue in database 0, among other applications' keys.
 */
export function watchFailures(
  client: Redis | Cluster,
  secrets: readonly (string | undefined)[],
  clusterNodes: readonly HostAndPort[] = [],
): void {
  let hasBeenReady = false;
  let askedAt = -Infinity;
  const explain = (error: Error, node: HostAndPort | undefined): void => {
    if (hasBeenReady || !mayBeTlsMismatch(error) || performance.now() - askedAt < ASK_AGAIN_MS) return;
    askedAt = performance.now();
    const server = node ?? serverOf(client) ?? clusterNodes[0];
    if (server === undefined) return;
    void tlsMismatch(server, usesTls(client)).then((mismatch) => {
      if (mismatch === undefined || hasBeenReady) mismatches.delete(client);
      else mismatches.set(client, mismatch);
    });
  };
  const keep = (error: ClientError, node?: string): void => {
    explain(lastNodeErrorOf(error), addressOf(node));
    const { command, lastNodeError } = error;
    if (command?.name === 'select') {
      const database = String(command.args?.[0]);
      failures.set(client, redacted(`database ${database} of REDIS_URL cannot be used: ${error.message}`, secrets));
      client.disconnect(true);
      return;
    }
    if (CONSEQUENCE.test(error.message) && failures.has(client)) return;
    failures.set(client, redacted((lastNodeError ?? error).message, secrets));
  };
  client.on('error', keep);
  client.on('node error', keep); // of a Cluster: a single node may be away
  client.on('ready', () => {
    hasBeenReady = true;
    failures.delete(client);
    mismatches.delete(client);
  });
}

function lastNodeErrorOf(error: ClientError): Error {
  return error.lastNodeError ?? error;
}

/** The address in ioredis' name of a node, `host:port`. */
function addressOf(node: string | undefined): HostAndPort | undefined {
  const [, host = '', port] = /^(.+):(\d+)$/.exec(node ?? '') ?? [];
  return port === undefined ? undefined : { host, port: Number(port) };
}

/** The server of a client that knows one; a Cluster names the node in its error, and Sentinels find theirs anew. */
function serverOf(client: Redis | Cluster): HostAndPort | undefined {
  if (client instanceof Cluster) return undefined;
  const { host, port, path, Connector } = client.options;
  const isFixed = Connector === undefined || Connector === ServerConnector;
  return host === undefined || port === undefined || path !== undefined || !isFixed ? undefined : { host, port };
}

function usesTls(client: Redis | Cluster): boolean {
  return (client instanceof Cluster ? client.options.redisOptions?.tls : client.options.tls) !== undefined;
}

/** The text without these secrets, plain or URL-encoded, and without user and password in any URL. */
function redacted(text: string, secrets: readonly (string | undefined)[]): string {
  const forms = secrets.flatMap((secret) => (secret ? [secret, encodeURIComponent(secret)] : []));
  return forms
    .reduce((safe, secret) => safe.replaceAll(secret, '[redacted]'), text)
    .replace(/\/\/[^/@\s]*@/g, '//[redacted]@');
}
