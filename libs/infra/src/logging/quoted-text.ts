import { Masking } from './masking.js';

const FORMS_ALONE = new Masking();

/**
 * What an error of ours may quote of a text that another system sent: masked like a line of the log, without markup,
 * and at most `lengthMax` characters. It is cut last, so that no part of a secret is left at the cut.
 *
 * @param masking knows what was sent to that system, in case it repeats it; by default, what has the form of a secret
 *   alone is masked
 */
export function quotedText(text: string, lengthMax: number, masking: Masking = FORMS_ALONE): string {
  return masking
    .text(text)
    .replace(/<[/!]?[a-z][^>]{0,1000}>?/gi, ' ')
    .slice(0, lengthMax);
}
