// Stages for Torvyn in JavaScript.
//
//     import { processor } from 'torvyn';
//
//     export const shout = processor((element) => element.text.toUpperCase());
//
// A module exports one stage. It is an ordinary module: import it in a test and run it with `torvyn/testing`. What goes to the
// console is shown by the host as `[node] …`.

export { DeadlineExceeded, Fatal, Internal, InvalidInput, ProcessError, Unavailable } from './lib/errors.js';
export { Element, Run } from './lib/element.js';
export { output } from './lib/outputs.js';
export { PAUSE } from './lib/runners.js';
export { aggregator, batchProcessor, filter, processor, router, sink, source } from './lib/stage.js';
