import { HttpClient, jsonOf } from './http-client.js';

/** The part of the answer of `GET /health/sf-events` that the soak uses. */
export interface EventsState {
  readonly status: string;
  readonly reason: string | undefined;
  /** Number of changes without an event that the active worker's reconciler has found since that worker began. */
  readonly missed: number;
  readonly topics: readonly string[];
}

/** Asks a worker or BFF; undefined without an answer about change events. */
export async function eventsState(http: HttpClient): Promise<EventsState | undefined> {
  const answer = await http.call('/health/sf-events', { timeoutMs: 2_000 }).catch(() => undefined);
  return answer && eventsStateOf(jsonOf(answer));
}

/** The state in the answer's body; undefined if the body is not about change events. */
export function eventsStateOf(body: unknown): EventsState | undefined {
  if (!isObject(body) || typeof body['status'] !== 'string') return undefined;
  const topics = Array.isArray(body['topics']) ? body['topics'].filter(isObject) : [];
  return {
    status: body['status'],
    reason: textOf(body['reason']),
    missed: isObject(body['reconciler']) ? Number(body['reconciler']['missed'] ?? 0) : 0,
    topics: topics.map((topic) => `${textOf(topic['topic'])} ${textOf(topic['state'])}`),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
