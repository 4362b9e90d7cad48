import type { OrgRecord } from './field-definition.js';
import type { OrgState } from './org-state.js';
import { SalesforceFault } from './org.errors.js';
import { recordId } from './record-ids.js';

const PERMISSION_SET = recordId('0PS', 1);

/**
 * The integration user's permissions, kept in the objects from which a client of a real org reads them too:
 * `PermissionSet`, `PermissionSetAssignment` and `ObjectPermissions`.
 */
export class Permissions {
  private readonly byObject = new Map<string, string>();

  constructor(private readonly org: OrgState) {
    const at = '2024-04-01T00:00:00.000Z';
    const by = { CreatedById: org.userId, LastModifiedById: org.userId };
    const common = { ...by, CreatedDate: at, LastModifiedDate: at, SystemModstamp: at, IsDeleted: false };
    const put = (object: string, record: OrgRecord): void =>
      org.table(org.existingObject(object)).put({ ...common, ...record });
    put('PermissionSet', {
      Id: PERMISSION_SET,
      Name: 'Integration',
      Label: 'Integration',
      PermissionsViewAllData: false,
    });
    const assignment = { AssigneeId: org.userId, PermissionSetId: PERMISSION_SET };
    put('PermissionSetAssignment', { Id: recordId('0Pa', 1), ...assignment });
    const tables = org.schema.objects().filter(({ traits }) => traits.isEvent !== true && traits.isReadOnly !== true);
    for (const { name } of tables) {
      const Id = org.ids.next('110');
      this.byObject.set(name, Id);
      const may = { PermissionsRead: true, PermissionsViewAllRecords: true };
      put('ObjectPermissions', { Id, ParentId: PERMISSION_SET, SobjectType: name, ...may });
    }
  }

  /**
   * Whether the user has "View All Records" on the object. Every object starts with it, objects from loaded files too.
   */
  readonly canViewAll = (objectName: string): boolean => this.isGranted(objectName, 'PermissionsViewAllRecords');

  /** Whether the object exists for the user at all. */
  canRead(objectName: string): boolean {
    return this.isGranted(objectName, 'PermissionsRead');
  }

  /** Sets the user's permissions on an object. Without `canRead` the user cannot view all of it either. */
  set(objectName: string, canRead: boolean, canViewAll: boolean): void {
    const object = this.org.existingObject(objectName);
    const record = this.recordOf(object.name);
    if (record === undefined) {
      throw new SalesforceFault(400, 'INVALID_INPUT', `the permissions on ${object.name} cannot be changed`);
    }
    this.org.table(this.org.existingObject('ObjectPermissions')).put({
      ...record,
      PermissionsRead: canRead,
      PermissionsViewAllRecords: canRead && canViewAll,
      SystemModstamp: this.org.clock.stamp(),
    });
  }

  /** The objects on which the user lacks a permission. */
  lacking(): string[] {
    return [...this.byObject.keys()].filter((name) => !this.canViewAll(name));
  }

  private isGranted(objectName: string, permission: string): boolean {
    return this.recordOf(objectName)?.[permission] !== false;
  }

  private recordOf(objectName: string): OrgRecord | undefined {
    const id = this.byObject.get(objectName);
    return id === undefined ? undefined : this.org.table(this.org.existingObject('ObjectPermissions')).get(id);
  }
}
