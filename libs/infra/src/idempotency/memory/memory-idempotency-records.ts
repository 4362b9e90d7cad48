import { LRUCache } from 'lru-cache';
import { IdempotencyRecords, type Beginning, type Hold, type IdempotencyClaim } from '../idempotency-records.js';

/** Maximum number of keys; beyond it the key that was used longest ago is forgotten. Each takes less than 1 KB. */
const KEYS_MAX = 20_000;

/** A key whose work a holder has begun. */
interface Held {
  readonly kind: 'held' | 'unrepeatable';
  readonly fingerprint: string;
  readonly holder: string;
  readonly until: number;
  /** The first holder that may have done the work. */
  readonly doer: string | undefined;
}

type State = Held | { readonly kind: 'answered'; readonly fingerprint: string; readonly answer: string };

/** Idempotency keys of a single process. They end with it. */
export class MemoryIdempotencyRecords extends IdempotencyRecords {
  private readonly states: LRUCache<string, State>;

  /** @param keysMax maximum number of keys */
  constructor(keysMax = KEYS_MAX) {
    super();
    this.states = new LRUCache({ max: keysMax });
  }

  async begin({ key, fingerprint, holder }: IdempotencyClaim, leaseMs: number): Promise<Beginning> {
    const state = this.states.get(key);
    if (state && state.fingerprint !== fingerprint) return { kind: 'mismatch' };
    if (state?.kind === 'answered') return { kind: 'answered', answer: state.answer };
    if (state && state.holder !== holder) {
      const leftMs = Math.ceil(state.until - performance.now());
      if (leftMs > 0) return { kind: 'running', leftMs };
      if (state.kind === 'unrepeatable') return { kind: 'abandoned' };
    }
    const until = performance.now() + leaseMs;
    const doer = state?.doer;
    const ttl = doer === undefined ? leaseMs : Math.max(leaseMs, this.states.getRemainingTTL(key));
    this.states.set(key, { kind: 'held', fingerprint, holder, until, doer }, { ttl });
    return { kind: 'begun', mayBeDone: doer !== undefined && doer !== holder };
  }

  async hold({ key, holder }: IdempotencyClaim, { leaseMs, unrepeatableMs, mayBeDoneMs }: Hold): Promise<boolean> {
    const state = this.states.get(key);
    if (!state || state.kind === 'answered' || state.holder !== holder) return false;
    const until = performance.now() + leaseMs;
    if (unrepeatableMs !== undefined) {
      this.states.set(key, { ...state, kind: 'unrepeatable', until }, { ttl: unrepeatableMs });
    } else if (mayBeDoneMs !== undefined) {
      this.states.set(key, { ...state, until, doer: state.doer ?? holder }, { ttl: mayBeDoneMs });
    } else if (state.kind === 'unrepeatable' || state.doer !== undefined) {
      this.states.set(key, { ...state, until }, { ttl: this.states.getRemainingTTL(key) });
    } else if (leaseMs > 0) {
      this.states.set(key, { ...state, until }, { ttl: leaseMs });
    } else {
      this.states.delete(key);
    }
    return true;
  }

  async answer({ key, fingerprint, holder }: IdempotencyClaim, answer: string, lifeMs: number): Promise<boolean> {
    const state = this.states.get(key);
    if (state && (state.kind === 'answered' || state.holder !== holder)) return false;
    this.states.set(key, { kind: 'answered', fingerprint, answer }, { ttl: lifeMs });
    return true;
  }

  async release({ key, holder }: IdempotencyClaim): Promise<void> {
    const state = this.states.get(key);
    if (!state || state.kind === 'answered' || state.holder !== holder) return;
    if (state.doer === undefined || state.doer === holder) this.states.delete(key);
    else this.states.set(key, { ...state, until: 0 }, { ttl: this.states.getRemainingTTL(key) });
  }
}
