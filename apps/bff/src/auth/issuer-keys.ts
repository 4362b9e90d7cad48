import { Logger } from '@nestjs/common';
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';

/** Maximum bytes read of a key set, which normally has a few kilobytes. */
const SET_MAX_BYTES = 1_048_576;
const TIMEOUT_MS = 3_000;
/**
 * Age at which good keys are fetched again, so that a withdrawn key is accepted no longer than this while the issuer
 * answers.
 */
const MAX_AGE_MS = 600_000;
/**
 * Minimum time from a successful fetch to the next one, even if a token names an unknown key. While the issuer answers,
 * a key that it adds is refused no longer than this.
 */
const COOLDOWN_MS = 5_000;
/**
 * The pause after a failed fetch: 1 s, doubled by each further failure in a row, up to half a minute while earlier keys
 * may still be used. Without such keys it is 5 s at most, because every request fails until the next fetch.
 */
const BACK_OFF_MS = 1_000;
const BACK_OFF_MS_MAX = 30_000;
const BACK_OFF_WITHOUT_KEYS_MS_MAX = 5_000;

/** The issuer's keys cannot be fetched, so a token cannot be checked. */
export class KeysUnavailableError extends Error {
  readonly code = 'AUTH_KEYS_UNAVAILABLE';
  constructor(
    readonly retryAfterMs: number,
    options: ErrorOptions,
  ) {
    super('the keys of the token issuer cannot be had', options);
    this.name = 'KeysUnavailableError';
  }
}

/**
 * The keys that check an issuer's tokens. An outage of the issuer removes no key: the last good ones are used until
 * `graceMs` after they were due to be fetched again. All callers share one fetch at a time. Between fetches there is a
 * pause, which grows while they fail and during which no caller waits. A set without a usable key counts as a failure.
 */
export class IssuerKeys {
  private readonly logger = new Logger(IssuerKeys.name);
  /** Fetches, reads and keeps the set; this class decides when. */
  private readonly set: ReturnType<typeof createRemoteJWKSet>;
  private fetchedAt: number | undefined;
  private nextFetchAt = -Infinity;
  private failures = 0;
  private lastFailure: unknown;
  private fetching: Promise<void> | undefined;

  constructor(
    url: URL,
    private readonly graceMs: number,
  ) {
    const neverByItself = { cacheMaxAge: Infinity, cooldownDuration: Infinity };
    this.set = createRemoteJWKSet(url, {
      ...neverByItself,
      timeoutDuration: TIMEOUT_MS,
      [customFetch]: fetchUsableSet,
    });
  }

  /**
   * The `getKey` of `jwtVerify`. Rejects with `KeysUnavailableError` if the token cannot be judged, and with jose's
   * error if the token is bad.
   */
  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    await this.renew();
    try {
      return await this.set(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.refresh(); // the issuer may have added this key since
      if (this.failures > 0) throw this.unavailable();
      return this.set(header, token);
    }
  };

  /**
   * Names the fetch that the keys are from; undefined if there are none, or they are due to be fetched again. What was
   * judged under one generation holds while it lasts: no key is added or withdrawn within it.
   */
  get generation(): number | undefined {
    return this.ageMs < MAX_AGE_MS ? this.fetchedAt : undefined;
  }

  /**
   * Resolves if there are usable keys, otherwise rejects. It waits for a fetch that is due, unless earlier keys are
   * still usable and the last fetch failed.
   */
  private async renew(): Promise<void> {
    if (this.ageMs >= MAX_AGE_MS) {
      const refreshed = this.refresh();
      if (this.failures === 0 || !this.isWithinGrace) await refreshed;
    }
    if (!this.isWithinGrace) throw this.unavailable();
  }

  private get ageMs(): number {
    return this.fetchedAt === undefined ? Infinity : performance.now() - this.fetchedAt;
  }

  private get isWithinGrace(): boolean {
    return this.ageMs < MAX_AGE_MS + this.graceMs;
  }

  /** Resolves at once if it is too early for another fetch, else when the fetch has ended. Never rejects. */
  private refresh(): Promise<void> {
    if (this.fetching) return this.fetching;
    if (performance.now() < this.nextFetchAt) return Promise.resolve();
    this.fetching = this.fetch().finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  private async fetch(): Promise<void> {
    try {
      await this.set.reload();
      if (this.failures > 0) this.logger.log('the keys of the token issuer are to be had again');
      this.failures = 0;
      this.fetchedAt = performance.now();
      this.nextFetchAt = this.fetchedAt + COOLDOWN_MS;
    } catch (error) {
      this.failures += 1;
      this.lastFailure = error;
      const most = this.isWithinGrace ? BACK_OFF_MS_MAX : BACK_OFF_WITHOUT_KEYS_MS_MAX;
      this.nextFetchAt = performance.now() + Math.min(most, BACK_OFF_MS * 2 ** Math.min(this.failures - 1, 10));
      if (this.failures === 1) this.tellOfFailure(error);
    }
  }

  private tellOfFailure(error: unknown): void {
    const left = MAX_AGE_MS + this.graceMs - this.ageMs;
    const state = left > 0 ? `those at hand hold for ${Math.ceil(left / 1_000)} s more` : 'there are none at hand';
    this.logger.warn({ err: error }, `the keys of the token issuer cannot be fetched (AUTH_JWKS_URL); ${state}`);
  }

  private unavailable(): KeysUnavailableError {
    const retryAfterMs = Math.max(0, this.nextFetchAt - performance.now());
    return new KeysUnavailableError(retryAfterMs, { cause: this.lastFailure });
  }
}

/** Fetches the set. Rejects a set in which no key can check a token, so that it does not replace a good one. */
async function fetchUsableSet(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (response.status !== 200) {
    await response.body?.cancel();
    return response; // jose refuses it
  }
  const text = await textOf(response);
  const { keys } = (JSON.parse(text) ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys) || !keys.some(isUsable)) throw new Error('the key set holds no key that checks signatures');
  return new Response(text);
}

function isUsable(key: unknown): boolean {
  const { kty, use = 'sig' } = (key ?? {}) as { kty?: unknown; use?: unknown };
  return (kty === 'RSA' || kty === 'EC') && use === 'sig';
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > SET_MAX_BYTES) throw new Error(`the key set has more than ${SET_MAX_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
