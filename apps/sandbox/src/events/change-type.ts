/** The kinds of change that an event's header can name (Change Data Capture guide, "Change Event Header Fields"). */
export const CHANGE_TYPES = [
  'CREATE',
  'UPDATE',
  'DELETE',
  'UNDELETE',
  'GAP_CREATE',
  'GAP_UPDATE',
  'GAP_DELETE',
  'GAP_UNDELETE',
  'GAP_OVERFLOW',
  'SNAPSHOT',
] as const;

export type ChangeType = (typeof CHANGE_TYPES)[number];
