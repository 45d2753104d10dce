// The contract's form of errors: what is thrown out of an export becomes its `err` if it carries a payload.

import { ProcessError } from '../lib/errors.js';

export function processError(error) {
  return error.case === 'deadline-exceeded' ? { tag: error.case } : { tag: error.case, val: error.message };
}

class Failure extends Error {
  constructor(payload) {
    super('an error of the stage');
    this.payload = payload;
  }
}

/** Calls a function whose error is a plain process-error. */
export function attempt(call) {
  try {
    return call();
  } catch (error) {
    if (error instanceof ProcessError) throw new Failure(processError(error));
    throw error;
  }
}

/** What to throw out of a call with a run: its error names the element. */
export function ofRun(error) {
  return error instanceof ProcessError ? new Failure({ index: error.index ?? 0, error: processError(error) }) : error;
}

export const lifecycle = (runner) => ({
  init: (config) => attempt(() => runner.init(config)),
  teardown: () => runner.teardown(),
});

export const signal = (paused) => (paused ? 'pause' : 'ready');

/** Gives a handle back now; what is left to the garbage collector is given back too late. */
export function release(handle) {
  handle?.[Symbol.dispose ?? Symbol.for('dispose')]();
}
