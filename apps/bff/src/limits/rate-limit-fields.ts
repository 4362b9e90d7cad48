import type { Standing } from '@bff/infra/limits/limits';
import { serializeList, type Item } from 'structured-headers';

/**
 * The header fields that tell a client its policies and what is left of them (draft-ietf-httpapi-ratelimit-headers-11);
 * empty if nothing was charged. `q`: points in each window; `w`: its seconds; `r`: points left; `t`: seconds until all
 * are back.
 */
export function rateLimitFields(standings: readonly Standing[]): Readonly<Record<string, string>> {
  if (standings.length === 0) return {};
  const policies = standings.map(({ work, policy: { points: q, windowSeconds: w } }) => item(work, { q, w }));
  const left = standings.map(({ work, remaining: r, resetSeconds: t }) => item(work, { r, t }));
  return { 'ratelimit-policy': serializeList(policies), ratelimit: serializeList(left) };
}

function item(name: string, parameters: Readonly<Record<string, number>>): Item {
  return [name, new Map(Object.entries(parameters))];
}
