/* global document */

/** The element of the page with this id. */
export const at = (id) => document.getElementById(id);

/** A new element with this text, never HTML. */
export function element(name, text, properties = {}) {
  return Object.assign(document.createElement(name), { textContent: text ?? '' }, properties);
}

/** Does the work and shows its result or error in the element with the id `place`. */
export async function attempt(place, work) {
  const said = at(place);
  try {
    said.textContent = (await work()) ?? '';
    said.classList.remove('error');
  } catch (error) {
    said.textContent = error.message;
    said.classList.add('error');
  }
}
