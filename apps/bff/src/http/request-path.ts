/** The path of a request's target as it was sent, without the host that the absolute form has, and without the query. */
export function requestPath(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] || '/';
}
