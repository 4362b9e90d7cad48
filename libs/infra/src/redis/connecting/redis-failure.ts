import type { Cluster, Redis } from 'ioredis';

const failures = new WeakMap<Redis | Cluster, string>();

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
  return failures.get(client);
}

/**
 * Keeps the newest failure of a client for `lastFailure`. A database that cannot be selected counts as a failed
 * connection: ioredis alone would report it and continue in database 0, among other applications' keys.
 */
export function watchFailures(client: Redis | Cluster, secrets: readonly (string | undefined)[]): void {
  const keep = (error: ClientError): void => {
    const { command, lastNodeError } = error;
    if (command?.name === 'select') {
      const database = String(command.args?.[0]);
      failures.set(client, redacted(`database ${database} of REDIS_URL cannot be used: ${error.message}`, secrets));
      client.disconnect(true);
      return;
    }
    if (CONSEQUENCE.test(error.message) && failures.has(client)) return;
    failures.set(client, redacted(lastNodeError?.message ?? error.message, secrets));
  };
  client.on('error', keep);
  client.on('node error', keep); // of a Cluster: a single node may be away
  client.on('ready', () => failures.delete(client));
}

/** The text without these secrets, plain or URL-encoded, and without user and password in any URL. */
function redacted(text: string, secrets: readonly (string | undefined)[]): string {
  const forms = secrets.flatMap((secret) => (secret ? [secret, encodeURIComponent(secret)] : []));
  return forms
    .reduce((safe, secret) => safe.replaceAll(secret, '[redacted]'), text)
    .replace(/\/\/[^/@\s]*@/g, '//[redacted]@');
}
