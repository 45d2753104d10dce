// What a stage may say went wrong: one class for each case of the contract's `process-error`.

/** An error about one element. What becomes of the element is for the node's `on_error` to say; the stage lives on. */
export class ProcessError extends Error {
  /** @param {string} [message] @param {{ index?: number }} [options] the element of the run, in a whole-run function */
  constructor(message = '', { index } = {}) {
    super(message);
    this.name = new.target.name;
    this.index = index;
  }

  case = 'internal';
}

/** This element is not what the stage can work on. Asking again would not help. */
export class InvalidInput extends ProcessError {
  case = 'invalid-input';
}

/** Not now: something the stage needs is away. It is asked again. From a source: nothing yet. */
export class Unavailable extends ProcessError {
  case = 'unavailable';
}

/** The stage failed on this element. Whatever else is thrown arrives as this one. */
export class Internal extends ProcessError {}

/** The element's deadline has passed. */
export class DeadlineExceeded extends ProcessError {
  case = 'deadline-exceeded';
}

/** The stage cannot go on. The flow ends. */
export class Fatal extends ProcessError {
  case = 'fatal';
}

/** `error` itself where it is one; else an Internal with its message and its place in the author's source. */
export function asProcessError(error, index) {
  if (!(error instanceof ProcessError)) {
    const said = error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${String(error)}`;
    const place = placeOf(error);
    error = new Internal(place ? `${said} (${place})` : said);
  }
  error.index ??= index;
  return error;
}

// A frame is "name@shout.js:8:5" in StarlingMonkey and "at name (file:///…/shout.js:8:5)" in Node.
const FRAME = /^(?:\s*at (?:async )?(?:(?<after>[^(]*) \()?|(?<before>[^@]*)@)(?:file:\/\/)?(?<path>[^()\s]+?):(?<line>\d+):\d+\)?$/;
const OURS = /(^|\/)(torvyn|sdk\/javascript)\/(lib\/|guest\/|testing\.js$)|^node:|initializer\.js$/;

/** Where the author's code was when `error` was made: "shout.js:8, in shout"; "" if it was nowhere there. */
export function placeOf(error) {
  for (const text of String(error?.stack ?? '').split('\n')) {
    const frame = FRAME.exec(text)?.groups;
    if (!frame || OURS.test(frame.path)) continue;
    const name = (frame.after ?? frame.before ?? '').replace(/[/<]+$/, '');
    return `${frame.path.replace(/^.*\//, '')}:${frame.line}${name ? `, in ${name}` : ''}`;
  }
  return '';
}
