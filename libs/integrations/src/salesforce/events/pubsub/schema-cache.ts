import type { SchemaInfo } from '../pubsub-service.js';
import { EventSchema } from './event-schema.js';
import { isRefusedByService } from './stream-faults.js';

/** Schemas kept; an org has one for each object, and a new one whenever its fields change. */
const SCHEMAS_MAX = 500;

/** How long a refusal is believed: a burst of events with an unknown schema is not a burst of questions. */
const REFUSAL_MS = 30_000;

interface Known {
  /** In words, where the schema cannot be had or its text is none that can be used. */
  readonly schema: EventSchema | string;
  readonly until: number;
}

/**
 * The schemas of an org's events by their ids, which never mean another schema. Each is asked for once, whoever needs it at
 * the same time.
 */
export class SchemaCache {
  private readonly schemas = new Map<string, Known>();
  private readonly asking = new Map<string, Promise<EventSchema | string>>();

  /** Undefined until it was asked for. */
  known(id: string): EventSchema | string | undefined {
    const known = this.schemas.get(id);
    return known !== undefined && known.until > Date.now() ? known.schema : undefined;
  }

  /** The schema, or in words why it cannot be used. Rejects when Salesforce could not be asked; that passes. */
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
