import { z } from 'zod';
import type { ValueKind } from './value-kinds.js';

/** The schema's documentation of a variable; `.env.example` and the reference page are generated from it. */
export interface VariableDocumentation {
  readonly group: string;
  readonly description: string;
  /** What fits, as the end of the sentence "expected …". */
  readonly expected: string;
  /** The value when it is not set, as text. */
  readonly defaultText?: string;
  /** `whole`: never printed. `userinfo`: printed without the user and password in the URL. */
  readonly secret?: 'whole' | 'userinfo';
}

/** The part of the documentation given where a variable is declared. */
type Documented = Pick<VariableDocumentation, 'secret'> & { readonly group: string; readonly description: string };

function parsed<T>(kind: ValueKind<T>): z.ZodType<T, string> {
  return z.string().transform((given, context) => {
    const value = kind.parse(given);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: kind.expected });
    return z.NEVER;
  });
}

/** A variable that is undefined when it is not set. */
export function optional<T>(kind: ValueKind<T>, documentation: Documented) {
  return parsed(kind)
    .optional()
    .meta({ ...documentation, expected: kind.expected });
}

/** A variable with a default, which passes the same check as a given value. */
export function defaulted<T>(kind: ValueKind<T>, defaultText: string, documentation: Documented) {
  return parsed(kind)
    .prefault(defaultText)
    .meta({ ...documentation, expected: kind.expected, defaultText });
}

/** Variables by their names, as an owner declares them. */
export type VariableShapes = Readonly<Record<string, z.ZodType>>;

/** The values of these variables after their own checks. */
export type ValuesOf<Shapes extends VariableShapes> = z.output<
  z.ZodObject<{ -readonly [Name in keyof Shapes]: Shapes[Name] }>
>;

/** The documentation of one of these variables. */
export function documentationIn(shapes: VariableShapes, name: string): VariableDocumentation {
  return shapes[name]?.meta() as unknown as VariableDocumentation;
}
