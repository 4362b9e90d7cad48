import type { FieldValue } from '../org/field-definition.js';
import type { EventSchema } from '../events/event-schema.js';
import type { ChangeContent, EventContent } from '../events/org-event.js';

/**
 * The JSON payload of an event (Change Data Capture guide, "Change Event Body Fields"). For a new or undeleted record
 * it lacks the empty fields; for an update it has the changed fields, with null for an emptied one. Enriched fields are
 * left out if they are empty.
 */
export function cometdPayload(content: EventContent, schema: EventSchema): Record<string, unknown> {
  if (content.kind === 'platform') return { ...content.fields };
  const { commitNumber, ...header } = content.header;
  // Parts of a compound field are listed as `BillingAddress.Street` (guide, "Get Compound Fields in Change Events").
  const changedFields = content.changed.map((name) => schema.places.get(name)?.path ?? name);
  return {
    ChangeEventHeader: { ...header, commitNumber: Number(commitNumber), changedFields },
    ...bodyOf(content, schema),
  };
}

function bodyOf(content: ChangeContent, schema: EventSchema): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const entry of schema.fields) {
    if (entry.parts === undefined) {
      if (isShown(content, entry.name)) body[entry.name] = valueOf(content, entry.name);
      continue;
    }
    const shown = entry.parts.filter(({ field }) => isShown(content, field.name));
    if (shown.length === 0) continue;
    body[entry.name] = Object.fromEntries(shown.map(({ name, field }) => [name, valueOf(content, field.name)]));
  }
  return body;
}

/** A diff is an object; every other value is a scalar (guide, "Data Differences in Event Fields"). */
function valueOf(content: ChangeContent, name: string): FieldValue | { readonly diff: FieldValue } {
  const value = content.fields[name] ?? null;
  return content.diffs.includes(name) ? { diff: value } : value;
}

function isShown({ fields, changed }: ChangeContent, name: string): boolean {
  return name in fields && (fields[name] !== null || changed.includes(name));
}
