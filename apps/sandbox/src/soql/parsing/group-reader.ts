import { field, type FieldType, type FieldValue, type OrgRecord } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import type { SalesforceFault } from '../../org/org.errors.js';
import { aggregateOf, aggregateType, canAggregate, canGroup } from '../evaluation/aggregates.js';
import type { FieldReader } from './field-reader.js';
import type { PathReader, ResolvedPath } from './path-reader.js';
import { soqlFault } from '../soql-fault.js';
import type { Aggregate, FieldPath, ObjectName } from '../soql.ast.js';

/** A value of a group: `source` reads a record's field, `resolved` reads the result for the group. */
interface GroupColumn {
  readonly source: ResolvedPath;
  readonly aggregate: Aggregate | undefined;
  readonly resolved: ResolvedPath;
}

/** Reads groups as if they were records, so that HAVING and ORDER BY work on them. */
export class GroupReader implements PathReader {
  private readonly columns = new Map<string, GroupColumn>();
  private readonly groupedBy: readonly ResolvedPath[];

  constructor(
    private readonly fields: FieldReader,
    object: ObjectDefinition,
    groupBy: readonly FieldPath[],
  ) {
    this.groupedBy = groupBy.map((path) => this.grouped(object, path));
  }

  get soql(): string {
    return this.fields.soql;
  }

  get now(): number {
    return this.fields.now;
  }

  object(from: ObjectName): ObjectDefinition {
    return this.fields.object(from);
  }

  records(object: ObjectDefinition): Iterable<OrgRecord> {
    return this.fields.records(object);
  }

  invalid(path: FieldPath, reason: string): SalesforceFault {
    return this.fields.invalid(path, reason);
  }

  /**
   * The place of a grouped field, or of an aggregate, in the groups; `groupsOf` then computes this aggregate too.
   * Throws for a field that is neither grouped nor aggregated.
   */
  resolve(object: ObjectDefinition, path: FieldPath): ResolvedPath {
    const { aggregate } = path;
    const source = this.fields.resolve(object, path);
    const known = this.columns.get(keyOf(source, aggregate));
    if (known !== undefined) return known.resolved;
    if (aggregate === undefined) {
      const reason = `Field must be grouped or aggregated: ${path.segments.join('.')}`;
      throw soqlFault('MALFORMED_QUERY', this.soql, path.position, reason);
    }
    if (!canAggregate(aggregate, source.field)) {
      throw this.invalid(path, `field ${source.field.name} does not support aggregate operator ${aggregate}`);
    }
    return this.add(source, aggregate, aggregateType(aggregate, source.field));
  }

  read({ field: { name } }: ResolvedPath, group: OrgRecord): FieldValue {
    return group[name] ?? null;
  }

  /**
   * The groups in the order of their first records. Without GROUP BY all records form one group, even if there are
   * none.
   */
  groupsOf(records: Iterable<OrgRecord>): OrgRecord[] {
    const members = new Map<string, OrgRecord[]>();
    if (this.groupedBy.length === 0) members.set('[]', []);
    for (const record of records) {
      const key = JSON.stringify(this.groupedBy.map((path) => this.fields.read(path, record)));
      const group = members.get(key);
      if (group === undefined) members.set(key, [record]);
      else group.push(record);
    }
    return [...members.values()].map((group) => this.summary(group));
  }

  private summary(group: readonly OrgRecord[]): OrgRecord {
    const summary: OrgRecord = { Id: '' };
    for (const [key, { source, aggregate }] of this.columns) {
      const values = (aggregate === undefined ? group.slice(0, 1) : group).map((record) =>
        this.fields.read(source, record),
      );
      summary[key] = aggregate === undefined ? (values[0] ?? null) : aggregateOf(aggregate, values);
    }
    return summary;
  }

  private grouped(object: ObjectDefinition, path: FieldPath): ResolvedPath {
    const source = this.fields.resolve(object, path);
    if (!canGroup(source.field)) {
      throw this.invalid(path, `field '${source.field.name}' can not be grouped in a query call`);
    }
    this.add(source, undefined, source.field.type);
    return source;
  }

  private add(source: ResolvedPath, aggregate: Aggregate | undefined, type: FieldType): ResolvedPath {
    const key = keyOf(source, aggregate);
    const resolved = { parents: [], field: field(key, type, { reference: source.field.reference }) };
    this.columns.set(key, { source, aggregate, resolved });
    return resolved;
  }
}

/** The key of a value, the same however the query writes it: `MAX(Account.Name)`. */
function keyOf({ parents, field: { name } }: ResolvedPath, aggregate: Aggregate | undefined): string {
  const path = [...parents.map(({ relationship }) => relationship), name].join('.');
  return aggregate === undefined ? path : `${aggregate}(${path})`;
}
