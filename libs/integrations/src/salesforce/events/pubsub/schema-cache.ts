import type { SchemaInfo } from '../pubsub-service.js';
import { EventSchema } from './event-schema.js';
import { isRefusedByService } from './stream-faults.js';

/** Maximum schemas kept. An org has one per object, and a new one at each change of its fields. */
const SCHEMAS_MAX = 500;

/** How long a refusal is trusted, so that a burst of events with an unknown schema is not a burst of requests. */
const REFUSAL_MS = 30_000;

interface Known {
  /** The reason in words if the schema is refused or its text is unusable. */
  readonly schema: EventSchema | string;
  readonly until: number;
}

/** The schemas of an org's events by id; an id never means another schema. Concurrent callers share one request. */
export class SchemaCache {
  private readonly schemas = new Map<string, Known>();
  private readonly asking = new Map<string, Promise<EventSchema | string>>();

  /** The cached schema, or in words why it is unusable; undefined if Salesforce has to be asked. */
  known(id: string): EventSchema | string | undefined {
    const known = this.schemas.get(id);
    return known !== undefined && known.until > Date.now() ? known.schema : undefined;
  }

  /** The schema, or in words why it is unusable. Rejects if the request to Salesforce failed, which is temporary. */
  async get(id: string, ask: (id: string) => Promise<SchemaInfo>): Promise<EventSchema | string> {
    const known = this.known(id) ?? this.asking.get(id);
    if (known !== undefined) return known;
    const asking = this.load(id, ask).finally(() => this.asking.delete(id));
    this.asking.set(id, asking);
    return asking;
  }

  private async load(id: string, ask: (id: string) => Promise<SchemaInfo>): Promise<EventSchema | string> {
    let info: SchemaInfo;
    try {
      info = await ask(id);
    } catch (error) {
      if (!isRefusedByService(error)) throw error;
      const reason = `schema ${id} is refused: ${error instanceof Error ? error.message : String(error)}`;
      return this.keep(id, { schema: reason, until: Date.now() + REFUSAL_MS });
    }
    return this.keep(id, { schema: parsed(id, info.schemaJson), until: Infinity });
  }

  private keep(id: string, known: Known): EventSchema | string {
    const [oldest] = this.schemas.keys();
    if (this.schemas.size >= SCHEMAS_MAX && oldest !== undefined) this.schemas.delete(oldest);
    this.schemas.set(id, known);
    return known.schema;
  }
}

function parsed(id: string, schemaJson: string): EventSchema | string {
  try {
    return new EventSchema(schemaJson);
  } catch (error) {
    return `schema ${id} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
