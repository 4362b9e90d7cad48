/**
 * What Redis answers to a command that we should not have sent like this, or to a script of ours that is wrong. Everything
 * else that it refuses is about the server, the user or the moment: also a text that nobody has seen yet.
 */
const DEFECT =
  /^WRONGTYPE |user_script:\d+: |Error compiling script|^ERR (syntax error|value is not|wrong number of arguments|Wrong number of args)/;

/** What a server says of its own state, which passes or is mended there: no other command, and no other user, would help. */
const MOMENTARY =
  /^(OOM|LOADING|BUSY|UNKILLABLE|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|SLOTOPEN|NOHISTORY) |non local key/;

/** Where in a script it happened: of use for a defect, and noise in a reason that people read. */
const PLACE_IN_SCRIPT = / script: (?:[0-9a-f]{40}|\S*), on @user_script:\d+\.$/;

/** The one message of Redis that repeats what it was sent, to say that it does not know the command (seen with 7.0.15). */
const REPEATED_ARGUMENTS = /,? with args beginning with:[^\n]*/g;

/** Whether Redis itself answered so, and not the connection. */
export function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether a reply says that what we sent is wrong, by whatever server and user it were received. */
export function isDefect(reply: Error): boolean {
  return DEFECT.test(reply.message);
}

/** Whether a reply is about the state of the server, and not about what was asked, or who asked. Only health tells them apart. */
export function isMomentary(words: string): boolean {
  return MOMENTARY.test(words);
}

/** What Redis said, for people: without the place in the script, and without what it repeats of the arguments. */
export function wordsOf(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error));
  return message.trim().replace(REPEATED_ARGUMENTS, '').replace(PLACE_IN_SCRIPT, '');
}

/**
 * The error without the keys and values that ioredis puts on it (`command.args`, `lastNodeError`, a parser's `buffer`): they
 * are a customer's, and whoever logs an error logs its fields too. Name, message, stack and the system's `code` stay.
 */
export function withoutArguments(error: Error): Error {
  const bare = new Error(error.message.replace(REPEATED_ARGUMENTS, ''));
  const stack = error.stack?.replace(REPEATED_ARGUMENTS, '');
  Object.defineProperties(bare, { name: { value: error.name }, stack: { value: stack } });
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? bare : Object.assign(bare, { code });
}
