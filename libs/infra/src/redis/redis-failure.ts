import type { Cluster, Redis } from 'ioredis';

const failures = new WeakMap<Redis | Cluster, string>();

/** What ioredis says of its own steps on a connection that is already given up; the reason was told before. */
const CONSEQUENCE = /^(Stream isn't writeable|Connection is closed)/;

/** What a client's error events hold beside what every error has. */
interface ClientError extends Error {
  readonly command?: { readonly name?: string; readonly args?: readonly unknown[] };
  readonly lastNodeError?: Error;
}

/**
 * Why the client is away, in words and without any of the secrets; undefined while it is ready or has not failed. It is
 * the newest of the errors that ioredis reports as events, which would end the process if nobody listened.
 */
export function lastFailure(client: Redis | Cluster): string | undefined {
  return failures.get(client);
}

/**
 * Keeps the newest failure of a client for `lastFailure`. A database that the server does not have is treated as a
 * connection that failed: ioredis alone would report it and go on in database 0, among somebody else's keys.
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
  client.on('node error', keep); // of a cluster, one of whose nodes may be away
  client.on('ready', () => failures.delete(client));
}

/** The text without these secrets, also as they are written in a URL. */
function redacted(text: string, secrets: readonly (string | undefined)[]): string {
  const forms = secrets.flatMap((secret) => (secret ? [secret, encodeURIComponent(secret)] : []));
  return forms
    .reduce((safe, secret) => safe.replaceAll(secret, '[redacted]'), text)
    .replace(/\/\/[^/@\s]*@/g, '//[redacted]@');
}
