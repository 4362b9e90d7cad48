import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { OrgClock } from './clock.js';
import type { OrgRecord } from './field-definition.js';
import type { ObjectDefinition } from './object-definition.js';
import { SalesforceFault } from './org.errors.js';
import { recordId, RecordIds } from './record-ids.js';
import { RecordTable } from './writing/record-table.js';
import { Schema } from './schema.js';

/**
 * The state of an org: its object definitions, records, ids, auto-numbers and clock. Clients and tests write records
 * through `Org.transaction`.
 */
export class OrgState {
  readonly schema = new Schema();
  readonly clock = new OrgClock();
  readonly ids = new RecordIds();
  readonly organizationId = recordId('00D', 1);
  readonly userId = recordId('005', 1);
  readonly username = 'integration@sandbox.example';
  readonly standardPricebookId = recordId('01s', 1);
  private readonly tables = new Map<string, RecordTable>();
  private readonly numbers = new Map<string, number>();

  constructor() {
    this.seedOwnRecords();
  }

  /** The record with this id, unless it is deleted. */
  find(objectName: string, id: string): OrgRecord | undefined {
    const record = this.table(this.existingObject(objectName)).get(toSalesforceId(id));
    return record?.['IsDeleted'] === true ? undefined : record;
  }

  /** The records that hold all of these values, without deleted ones, in the order of their creation. */
  records(objectName: string, where: Readonly<Record<string, unknown>> = {}): OrgRecord[] {
    const wanted = Object.entries(where);
    return [...this.table(this.existingObject(objectName)).all()].filter(
      (record) => record['IsDeleted'] !== true && wanted.every(([field, value]) => record[field] === value),
    );
  }

  table(object: ObjectDefinition): RecordTable {
    const known = this.tables.get(object.name);
    if (known !== undefined) return known;
    const table = new RecordTable(object);
    this.tables.set(object.name, table);
    return table;
  }

  existingObject(name: string): ObjectDefinition {
    const object = this.schema.object(name);
    if (object !== undefined) return object;
    const message = `The requested resource does not exist: there is no object '${name}' in this org`;
    throw new SalesforceFault(404, 'NOT_FOUND', message);
  }

  writableObject(name: string): ObjectDefinition {
    const object = this.existingObject(name);
    if (object.traits.isReadOnly !== true) return object;
    const message = `entity type ${object.name} does not support create, update or delete`;
    throw new SalesforceFault(400, 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', message);
  }

  /** The next auto-number of an object, zero-padded. Numbers of undone creations are not used again. */
  nextNumber(objectName: string, digits: number): string {
    const next = (this.numbers.get(objectName) ?? 99) + 1;
    this.numbers.set(objectName, next);
    return String(next).padStart(digits, '0');
  }

  /** Stores the records that every org starts with: itself, its user, its standard price book. */
  private seedOwnRecords(): void {
    const at = '2024-04-01T00:00:00.000Z';
    const common = { CreatedDate: at, LastModifiedDate: at, SystemModstamp: at, IsDeleted: false };
    const by = { CreatedById: this.userId, LastModifiedById: this.userId };
    const put = (name: string, record: OrgRecord): void => {
      const object = this.existingObject(name);
      this.ids.next(object.keyPrefix);
      this.table(object).put({ ...common, ...by, ...record });
    };
    put('Organization', {
      Id: this.organizationId,
      Name: 'Evergreen Sandbox',
      IsSandbox: true,
      InstanceName: 'LOCAL',
      OrganizationType: 'Developer Edition',
      NamespacePrefix: null,
      TrialExpirationDate: null,
    });
    put('User', {
      Id: this.userId,
      Name: 'Integration User',
      Username: this.username,
      Email: this.username,
      IsActive: true,
    });
    put('Pricebook2', {
      Id: this.standardPricebookId,
      Name: 'Standard Price Book',
      Description: null,
      IsActive: true,
      IsStandard: true,
    });
  }
}
