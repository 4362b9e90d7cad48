/**
 * Replies of Redis to a command or a script of ours that is wrong. Any other refusal, even an unknown text, is about
 * the server, the user or the moment.
 */
const DEFECT =
  /^WRONGTYPE |user_script:\d+: |Error compiling script|^ERR (syntax error|value is not|wrong number of arguments|Wrong number of args)/;

/** Replies about the state of the server. It passes, or is mended there; no permission would help. */
const MOMENTARY =
  /^(OOM|LOADING|BUSY|UNKILLABLE|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|SLOTOPEN|NOHISTORY) |non local key/;

/** The place in a script: useful for a defect, noise in a reason that people read. */
const PLACE_IN_SCRIPT = / script: (?:[0-9a-f]{40}|\S*), on @user_script:\d+\.$/;

/** The arguments in the only message of Redis that repeats them: it does not know the command (seen with 7.0.15). */
const REPEATED_ARGUMENTS = /,? with args beginning with:[^\n]*/g;

/** Whether the error is a reply of Redis, not a failure of the connection. */
export function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether a reply says that our command or script is wrong, for any server and user. */
function isDefect(reply: Error): boolean {
  return DEFECT.test(reply.message);
}

/**
 * Whether a reply is about the state of the server, not about the command or the user. Callers get the same error for
 * both.
 */
export function isMomentary(words: string): boolean {
  return MOMENTARY.test(words);
}

/** The text of Redis for people: without the place in the script, and without repeated arguments. */
export function wordsOf(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error));
  return message.trim().replace(REPEATED_ARGUMENTS, '').replace(PLACE_IN_SCRIPT, '');
}

/**
 * The error without the keys and values that ioredis puts on it (`command.args`, `lastNodeError`, a parser's `buffer`):
 * they belong to a customer, and loggers print the fields of an error. Name, message, stack and the system's `code`
 * stay.
 */
function withoutArguments(error: Error): Error {
  const bare = new Error(error.message.replace(REPEATED_ARGUMENTS, ''));
  const stack = error.stack?.replace(REPEATED_ARGUMENTS, '');
  Object.defineProperties(bare, { name: { value: error.name }, stack: { value: stack } });
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? bare : Object.assign(bare, { code });
}

/** What the failure of a command means: a mistake of ours, no answer, or a refusal. */
export type CommandFailure =
  | { readonly kind: 'defect'; readonly error: Error }
  | { readonly kind: 'unanswered'; readonly message: string; readonly cause: Error }
  /** `words` are those of Redis. */
  | { readonly kind: 'refused'; readonly message: string; readonly cause: Error; readonly words: string };

/**
 * Tells apart what a command rejected with. A refusal by Redis is an operating error, whatever its text: the commands
 * are ours, and the same for every server. Only a reply that finds fault with a command or script itself is a defect,
 * like a `TypeError` or `RangeError` of our own code, or a rejection with no `Error`, which stay as they are. In all
 * other results there are no keys and no values.
 */
export function failureOf(error: unknown): CommandFailure {
  if (!(error instanceof Error)) return { kind: 'defect', error: error as Error };
  if (!isReply(error) && (error instanceof TypeError || error instanceof RangeError)) return { kind: 'defect', error };
  const cause = withoutArguments(error);
  if (!isReply(error)) return { kind: 'unanswered', message: `Redis did not answer: ${cause.message}`, cause };
  if (isDefect(error)) return { kind: 'defect', error: cause };
  const words = wordsOf(error);
  return { kind: 'refused', message: `Redis refused: ${words}`, cause, words };
}
