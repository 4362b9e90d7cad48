import { z } from 'zod';
import type { Channels } from '../events/channels.js';
import { changeEventName } from '../events/event-schema.js';
import { recordId } from '../org/record-ids.js';
import { notFound, SalesforceFault } from '../org/org.errors.js';
import { textColumns } from '../soql/columns.js';
import { parseQuery } from '../soql/query-parser.js';
import { isGrouped } from '../soql/soql.ast.js';
import type { ApiAnswer, ApiCall } from './api-call.js';
import { requireMethod } from './call-checks.js';

const CHANNEL = 'PlatformEventChannel';
const MEMBER = 'PlatformEventChannelMember';

type ToolingType = typeof CHANNEL | typeof MEMBER;

const PREFIXES: Readonly<Record<ToolingType, string>> = { [CHANNEL]: '0YL', [MEMBER]: '0v8' };
/** The columns that a query can select. */
const COLUMNS: Readonly<Record<ToolingType, readonly string[]>> = {
  [CHANNEL]: ['Id', 'FullName', 'DeveloperName', 'MasterLabel', 'ChannelType', 'Metadata'],
  [MEMBER]: ['Id', 'FullName', 'DeveloperName', 'EventChannel', 'SelectedEntity', 'Metadata'],
};

const newChannel = z.object({
  FullName: z.string().regex(/^\w+__chn$/, 'must end in __chn'),
  Metadata: z.object({ channelType: z.literal('data'), label: z.string() }),
});
const newMember = z.object({
  FullName: z.string().optional(),
  Metadata: z.object({
    eventChannel: z.string(),
    selectedEntity: z.string(),
    enrichedFields: z.array(z.object({ name: z.string() })).default([]),
    filterExpression: z.undefined({ error: 'filters are not simulated' }).optional(),
  }),
});

/** A record as the Tooling API shows it. */
interface ToolingRecord {
  readonly Id: string;
  readonly FullName: string;
  readonly [field: string]: unknown;
  readonly Metadata: Readonly<Record<string, unknown>>;
}

/**
 * `/tooling/sobjects/PlatformEventChannel`, `…Member` and `/tooling/query` over both, by which an administrator creates
 * custom channels (Change Data Capture guide, "Compose Streams of Change Data Capture Notifications with Custom
 * Channels"). The rest of the Tooling API is missing.
 */
export class Tooling {
  private readonly ids = new Map<string, string>();

  constructor(private readonly channels: Channels) {}

  readonly handle = (call: ApiCall): ApiAnswer => {
    const [, resource, type, id, ...rest] = call.path;
    if (resource === 'query' && type === undefined) return this.query(call);
    if (resource !== 'sobjects' || rest.length > 0 || (type !== CHANNEL && type !== MEMBER)) throw notFound();
    if (id === undefined) return this.create(call, type);
    const record = this.records(type).find((candidate) => candidate.Id.startsWith(id));
    if (record === undefined || id.length < 15) throw notFound();
    requireMethod(call, 'GET', 'PATCH', 'DELETE');
    if (call.method === 'GET') return { status: 200, body: record };
    if (call.method === 'PATCH') this.write(type, call.body);
    else this.remove(type, record);
    return { status: 204 };
  };

  private create(call: ApiCall, type: ToolingType): ApiAnswer {
    requireMethod(call, 'POST');
    const name = this.write(type, call.body, true);
    return { status: 201, body: { id: this.idOf(type, name), success: true, errors: [], warnings: [], infos: [] } };
  }

  /**
   * Writes a channel or a member and returns its full name. The change of a channel has no effect; a member is replaced
   * as a whole.
   */
  private write(type: ToolingType, body: unknown, isNew = false): string {
    if (type === CHANNEL) {
      const { FullName } = checked(newChannel, body);
      if (isNew) this.channels.add(`/data/${FullName}`);
      return FullName;
    }
    const { Metadata } = checked(newMember, body);
    const { eventChannel, selectedEntity } = Metadata;
    const name = memberName(eventChannel, selectedEntity);
    if (isNew && this.records(MEMBER).some(({ FullName }) => FullName === name)) {
      throw new SalesforceFault(400, 'DUPLICATE_VALUE', `${selectedEntity} is on ${eventChannel} already`);
    }
    const fields = Metadata.enrichedFields.map((field) => field.name);
    if (eventChannel === 'ChangeEvents') this.channels.selectEvent(selectedEntity, true);
    else this.channels.setMember(`/data/${eventChannel}`, selectedEntity, fields);
    return name;
  }

  private remove(type: ToolingType, { FullName, Metadata }: ToolingRecord): void {
    if (type === CHANNEL) this.channels.remove(`/data/${FullName}`);
    else if (Metadata['eventChannel'] === 'ChangeEvents') {
      this.channels.selectEvent(String(Metadata['selectedEntity']), false);
    } else this.channels.removeMember(`/data/${String(Metadata['eventChannel'])}`, String(Metadata['selectedEntity']));
  }

  private records(type: ToolingType): ToolingRecord[] {
    const channels = this.channels.customNames();
    if (type === CHANNEL) {
      return channels.map((channel) => {
        const FullName = channel.slice('/data/'.length);
        const names = { FullName, DeveloperName: FullName.replace(/__chn$/, ''), MasterLabel: FullName };
        return { Id: this.idOf(type, FullName), ...names, ChannelType: 'data', Metadata: { channelType: 'data' } };
      });
    }
    const selected = this.channels.selectedObjects().map((name) => this.member('ChangeEvents', name, []));
    const custom = channels.flatMap((channel) =>
      (this.channels.membersOf(channel) ?? []).map(({ object, enrichedFields }) =>
        this.member(channel.slice('/data/'.length), object.name, enrichedFields),
      ),
    );
    return [...selected, ...custom];
  }

  private member(EventChannel: string, objectName: string, enriched: readonly string[]): ToolingRecord {
    const SelectedEntity = changeEventName(objectName);
    const FullName = memberName(EventChannel, SelectedEntity);
    const enrichedFields = enriched.map((name) => ({ name }));
    const Metadata = { eventChannel: EventChannel, selectedEntity: SelectedEntity, enrichedFields };
    const names = { FullName, DeveloperName: FullName, EventChannel, SelectedEntity };
    return { Id: this.idOf(MEMBER, FullName), ...names, Metadata };
  }

  /**
   * Answers `SELECT fields FROM PlatformEventChannel[Member]` with at most LIMIT and OFFSET behind it. Throws for other
   * queries, so that no answer is silently wrong.
   */
  private query(call: ApiCall): ApiAnswer {
    requireMethod(call, 'GET');
    const query = parseQuery(call.query.get('q') ?? '');
    const type = ([CHANNEL, MEMBER] as const).find((name) => name.toLowerCase() === query.from.name.toLowerCase());
    const isPlain = query.where === undefined && query.orderBy.length === 0 && !query.isCount && !isGrouped(query);
    if (type === undefined || !isPlain) {
      throw new SalesforceFault(400, 'MALFORMED_QUERY', `only SELECT … FROM ${CHANNEL} or ${MEMBER} is known here`);
    }
    const selected = query.select.map((item) => (item.kind === 'field' ? item.path.segments.join('.') : ''));
    const names = selected.map((name) => {
      const known = COLUMNS[type].find((column) => column.toLowerCase() === name.toLowerCase());
      if (known !== undefined) return known;
      throw new SalesforceFault(400, 'INVALID_FIELD', `No such column '${name}' on entity '${type}'`);
    });
    if (call.query.get('columns') === 'true') return { status: 200, body: textColumns(type, PREFIXES[type], names) };
    const end = query.offset + (query.limit ?? Number.POSITIVE_INFINITY);
    const records = this.records(type)
      .slice(query.offset, end)
      .map((record) => {
        const row: Record<string, unknown> = {
          attributes: { type, url: `/services/data/${call.version}/tooling/sobjects/${type}/${record.Id}` },
        };
        for (const name of names) row[name] = record[name];
        return row;
      });
    return { status: 200, body: { size: records.length, totalSize: records.length, done: true, records } };
  }

  private idOf(type: ToolingType, name: string): string {
    const key = `${type} ${name}`;
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    const id = recordId(PREFIXES[type], this.ids.size + 1);
    this.ids.set(key, id);
    return id;
  }
}

/** `SalesEvents_chn_OrderItemChangeEvent`, as the guide names members. */
function memberName(eventChannel: string, selectedEntity: string): string {
  return `${eventChannel.replace('__chn', '_chn')}_${selectedEntity}`;
}

function checked<T extends z.ZodType>(shape: T, body: unknown): z.output<T> {
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SalesforceFault(400, 'JSON_PARSER_ERROR', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}
