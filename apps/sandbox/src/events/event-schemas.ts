import type { ObjectDefinition } from '../org/object-definition.js';
import { eventSchema, type EventSchema } from './event-schema.js';

/**
 * The schemas of all events since the start. A schema stays available by its id after its object has got another one.
 */
export class EventSchemas {
  private readonly byId = new Map<string, EventSchema>();
  private readonly current = new Map<ObjectDefinition, { readonly revision: number; readonly schema: EventSchema }>();

  /** The schema of an object's next event. */
  of(object: ObjectDefinition): EventSchema {
    const known = this.current.get(object);
    if (known?.revision === object.revision) return known.schema;
    const schema = eventSchema(object);
    this.current.set(object, { revision: object.revision, schema });
    this.byId.set(schema.id, schema);
    return schema;
  }

  find(id: string): EventSchema | undefined {
    return this.byId.get(id);
  }
}
