const PARTS_MAX = 8;
/** Words of letters, such as `payment-methods` or `jwks.json`, or a version such as `v2`. */
const WORDS = /^(?:[A-Za-z]{1,20}(?:[-_.][A-Za-z]{1,20}){0,3}|v\d{1,3})?$/;

/**
 * The path of a request without a route, for the log: its query and its host are left out, and so is each part that is
 * no word, because it may be a token or an id.
 */
export function maskedPath(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]{0,20}:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] as string;
  const parts = path.split('/', PARTS_MAX + 2);
  const shown = parts.slice(0, PARTS_MAX + 1).map((part) => (WORDS.test(part) ? part : '[…]'));
  return (parts.length > PARTS_MAX + 1 ? [...shown, '…'] : shown).join('/') || '/';
}
