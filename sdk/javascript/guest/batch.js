// The exports of a stage that takes runs of elements.

import { AllocationFailed, CapacityExceeded } from '../lib/outputs.js';
import { runnerOf } from '../lib/runners.js';
import { STAGE } from '../lib/stage.js';
import { attempt, attemptRun, lifecycle, release, signal } from './errors.js';

/** The host's writer, its errors as exceptions of the SDK's. */
class Writer {
  constructor(writer) {
    this.writer = writer;
  }

  emit(bytes, ends, origins) {
    try {
      this.writer.emit(bytes, ends, origins);
    } catch (error) {
      if (error?.payload?.tag === 'capacity-exceeded') throw new CapacityExceeded();
      if (error?.payload?.tag === 'allocation-failed') throw new AllocationFailed(error.payload.val);
      throw error;
    }
  }

  forward(indices) {
    this.writer.forward(indices);
  }

  forwardTo(port, indices) {
    this.writer.forwardTo(port, indices);
  }

  setContentType(contentType) {
    this.writer.setContentType(contentType);
  }
}

/** One call with a run. What is lent is given back whatever happens. */
function withRun(batch, writer, call) {
  try {
    return attemptRun(() => call(batch, writer && new Writer(writer)));
  } finally {
    release(batch);
    release(writer);
  }
}

/** One call that only writes. */
function withWriter(writer, call) {
  try {
    return attempt(() => call(new Writer(writer)));
  } finally {
    release(writer);
  }
}

const processor = (runner) => ({
  batchProcessor: { process: (input, output) => withRun(input, output, (batch, writer) => runner.process(batch, writer)) },
});

const EXPORTS = {
  processor,
  batchProcessor: processor,
  filter: processor,
  router: (runner) => ({
    batchRouter: { route: (input, output) => withRun(input, output, (batch, writer) => runner.route(batch, writer)) },
  }),
  sink: (runner) => ({
    batchSink: {
      push: (input) => withRun(input, undefined, (batch) => signal(runner.push(batch))),
      complete: () => attempt(() => runner.complete()),
    },
  }),
  aggregator: (runner) => ({
    batchAggregator: {
      ingest: (input, output) => withRun(input, output, (batch, writer) => runner.ingest(batch, writer)),
      flush: (output) => withWriter(output, (writer) => runner.flush(writer)),
    },
  }),
  source: (runner) => ({
    batchSource: {
      pull: (max, output) => withWriter(output, (writer) => runner.pull(max, writer)),
      notifyBackpressure: (pressure) => runner.notifyBackpressure(pressure === 'pause'),
    },
    acks: { acknowledge: (upTo) => runner.acknowledge(upTo) },
  }),
};

/** What a component of this stage exports, by name. */
export function exportsOf(stage) {
  const runner = runnerOf(stage);
  return { lifecycle: lifecycle(runner), ...EXPORTS[stage[STAGE].role](runner) };
}
