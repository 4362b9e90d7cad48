import type { EventLog } from '../events/event-log.js';
import type { EventSchemas } from '../events/event-schemas.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import type { Org } from '../org/org.js';
import { SalesforceFault } from '../org/org.errors.js';
import { decodeEvent } from './avro-payload.js';
import type { ProducerEvent, PublishResponse } from '@bff/integrations/salesforce/events/pubsub-service';
import { replayBytes } from './replay-bytes.js';

/** Publishes the platform events one by one. Each result holds its event's error, which does not affect the others. */
export function publishEvents(
  org: Org,
  log: EventLog,
  schemas: EventSchemas,
  object: ObjectDefinition,
  events: readonly ProducerEvent[],
): PublishResponse['results'] {
  return events.map((event) => {
    const refused = (msg: string) => ({ code: 'PUBLISH' as const, msg });
    try {
      const before = log.tip;
      org.create(object.name, fieldsOf(schemas, object, event));
      // A delayed or dropped event has no place in the log, so its replay id is not known.
      const published = log.tip === before ? Buffer.alloc(0) : replayBytes(log.tip);
      return { correlationKey: event.id, replayId: published, error: null };
    } catch (error) {
      if (!(error instanceof SalesforceFault)) throw error;
      return { correlationKey: event.id, replayId: Buffer.alloc(0), error: refused(error.message) };
    }
  });
}

/** The fields that a publisher may set; the org itself sets the publisher and the date. */
function fieldsOf(schemas: EventSchemas, object: ObjectDefinition, event: ProducerEvent): Record<string, unknown> {
  const schema = schemas.find(event.schemaId);
  if (schema === undefined || schema.name !== object.name)
    throw invalid(`the schema ID ${event.schemaId} is not known`);
  let fields: Record<string, unknown>;
  try {
    fields = decodeEvent(event.payload, schema);
  } catch (error) {
    throw invalid(`the payload cannot be read by its schema: ${(error as Error).message}`);
  }
  return Object.fromEntries(Object.entries(fields).filter(([name]) => object.field(name)?.createable === true));
}

function invalid(reason: string): SalesforceFault {
  return new SalesforceFault(400, 'INVALID_INPUT', reason);
}
