/**
 * The instant that a date-time field of Salesforce holds, in RFC 3339, in UTC with milliseconds:
 * `2026-01-01T10:00:00.000Z`. The REST API writes `2026-01-01T10:00:00.000+0000`, whose offset lacks the colon that RFC
 * 3339 (section 5.6) and browsers other than Chrome's want. Throws a `RangeError` for text that is no instant.
 */
export function toInstant(value: string): string {
  return new Date(value.replace(/([+-]\d{2})(\d{2})$/, '$1:$2')).toISOString();
}
