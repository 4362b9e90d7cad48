/** The input of rules between variables. */
export interface CheckedVariables<Values> {
  /** The values that passed their own check. */
  readonly values: Partial<Values>;
  /** Whether a variable was given at all, valid or not. */
  readonly isGiven: (name: keyof Values & string) => boolean;
}
