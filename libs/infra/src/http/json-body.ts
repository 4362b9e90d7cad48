import type { HttpAnswer } from './bounded-http.js';

/** The parsed JSON body; undefined if it is not JSON, such as a page of HTML. Never throws. */
export function jsonOf({ body }: Pick<HttpAnswer, 'body'>): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body) as unknown };
  } catch {
    return undefined; // the parser's message quotes the body, which must not appear in an error
  }
}
