import { documentationIn, type VariableShapes } from './documented-variable.js';
import type { RawEnvironment } from './read-environment.js';

/** A part of a list counts as a secret if it is at least this long: shorter ones are names of keys. */
const PART_LENGTH_MIN = 16;

/**
 * Every text in these variables that is a secret, so that logs can be searched for it: the variables that are declared
 * as secret, their long parts between commas and colons, and the passwords in their URLs.
 */
export function secretTexts(
  shapes: VariableShapes,
  env: RawEnvironment,
  values: Readonly<Record<string, unknown>>,
): readonly string[] {
  const found = new Set<string>();
  for (const name of Object.keys(shapes)) {
    const { secret } = documentationIn(shapes, name);
    const given = env[name]?.trim();
    if (secret === undefined || !given) continue;
    if (secret === 'userinfo') passwordsIn(given).forEach((each) => found.add(each));
    else {
      found.add(given);
      given.split(/[,:]/).forEach((part) => part.length >= PART_LENGTH_MIN && found.add(part));
      const value = values[name];
      if (typeof value === 'string') found.add(value); // the form used, such as PEM for a key given in base64
    }
  }
  return [...found];
}

/** As written, and decoded. The password may hold any character but the last `@`. */
function passwordsIn(url: string): string[] {
  const password = /^[^:]*:\/\/[^:@/]*:(.*)@/s.exec(url)?.[1];
  if (!password) return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password]; // no valid encoding, so it is used as written
  }
}
