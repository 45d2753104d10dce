// The exports of a stage that takes runs of elements.

import { AllocationFailed, CapacityExceeded } from '../lib/outputs.js';
import { runnerOf } from '../lib/runners.js';
import { STAGE } from '../lib/stage.js';
import { attempt, lifecycle, ofRun, signal } from './errors.js';

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

// What is lent for a call is given back by the bindings when it returns. These functions are called once a run, and stay flat: in an engine
// that interprets, each call of one more costs as much as an element.

const processor = (runner) => ({
  batchProcessor: {
    process(input, output) {
      try {
        runner.process(input, new Writer(output));
      } catch (error) {
        throw ofRun(error);
      }
    },
  },
});

const EXPORTS = {
  processor,
  batchProcessor: processor,
  filter: processor,
  router: (runner) => ({
    batchRouter: {
      route(input, output) {
        try {
          runner.route(input, new Writer(output));
        } catch (error) {
          throw ofRun(error);
        }
      },
    },
  }),
  sink: (runner) => ({
    batchSink: {
      push(input) {
        try {
          return signal(runner.push(input));
        } catch (error) {
          throw ofRun(error);
        }
      },
      complete: () => attempt(() => runner.complete()),
    },
  }),
  aggregator: (runner) => ({
    batchAggregator: {
      ingest(input, output) {
        try {
          runner.ingest(input, new Writer(output));
        } catch (error) {
          throw ofRun(error);
        }
      },
      flush: (output) => attempt(() => runner.flush(new Writer(output))),
    },
  }),
  source: (runner) => ({
    batchSource: {
      pull: (max, output) => attempt(() => runner.pull(max, new Writer(output))),
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
