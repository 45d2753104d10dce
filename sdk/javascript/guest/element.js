// The exports of a stage of the contract of one element a call: what a runner sees is a run of one.

import { Internal, Unavailable } from '../lib/errors.js';
import { AllocationFailed, CapacityExceeded } from '../lib/outputs.js';
import { runnerOf } from '../lib/runners.js';
import { STAGE } from '../lib/stage.js';
import { attempt, lifecycle, release, signal } from './errors.js';

/** A stream-element as a run of one. */
class Batch {
  constructor(element) {
    this.element = element;
  }

  read() {
    const bytes = this.element.payload.readAll();
    return { bytes, ends: Uint32Array.of(bytes.length) };
  }

  metas() {
    const { sequence, timestampNs } = this.element.meta;
    return [{ sequence, timestampNs, deadlineNs: this.element.context.deadlineNs(), contentType: 0 }];
  }

  contentTypes() {
    return [this.element.meta.contentType];
  }

  flowId() {
    return this.element.context.flowId();
  }

  traceId() {
    return this.element.context.traceId();
  }

  spanId() {
    return this.element.context.spanId();
  }
}

/** Takes what a runner writes, as output-elements. `allocator` is the contract's, where the world has it. */
class Writer {
  constructor(allocator, element) {
    this.allocator = allocator;
    this.element = element;
    this.contentType = element?.meta.contentType ?? '';
    this.outputs = [];
    this.forwards = 0;
    this.ports = [];
  }

  emit(bytes, ends) {
    for (let i = 0, start = 0; i < ends.length; start = ends[i++]) {
      const part = bytes.subarray(start, ends[i]);
      const payload = frozen(() => this.allocator.allocate(BigInt(part.length)), (buffer) => buffer.append(part));
      this.outputs.push({ meta: { sequence: 0n, timestampNs: 0n, contentType: this.contentType }, payload });
    }
  }

  forward(indices) {
    this.forwards += indices.length;
  }

  forwardTo(port) {
    this.ports.push(port);
  }

  setContentType(contentType) {
    this.contentType = contentType;
  }

  /** This contract has no way to hand an input on: the host makes the copy. */
  copyForwarded() {
    for (; this.forwards > 0; this.forwards--) {
      const payload = frozen(() => this.allocator.cloneIntoMutable(this.element.payload), () => {});
      this.outputs.push({ meta: this.element.meta, payload });
    }
  }

  atMostOne() {
    if (this.outputs.length > 1) {
      const { length } = this.outputs;
      this.drop();
      throw new Internal(`${length} outputs: the contract of one element a call takes one at most, the batch contract takes all`);
    }
    return this.outputs[0];
  }

  drop() {
    for (const { payload } of this.outputs) release(payload);
    this.outputs = [];
  }
}

/** A buffer from the host, filled and frozen; the writable handle is given back. */
function frozen(allocate, fill) {
  let buffer;
  try {
    buffer = allocate();
    fill(buffer);
    return buffer.freeze();
  } catch (error) {
    if (error?.payload?.tag === 'allocation-failed') throw new AllocationFailed(error.payload.val);
    if (error?.payload?.tag !== undefined) throw new CapacityExceeded();
    throw error;
  } finally {
    release(buffer);
  }
}

/** One call with an element. What is lent is given back whatever happens. */
function withElement(allocator, element, call) {
  const writer = new Writer(allocator, element);
  try {
    return attempt(() => {
      try {
        return call(new Batch(element), writer);
      } catch (error) {
        writer.drop();
        throw error;
      }
    });
  } finally {
    release(element.payload);
    release(element.context);
  }
}

const processor = (runner, allocator) => ({
  processor: {
    process: (input) => withElement(allocator, input, (batch, writer) => {
      runner.process(batch, writer);
      writer.copyForwarded();
      const output = writer.atMostOne();
      return output === undefined ? { tag: 'drop' } : { tag: 'emit', val: output };
    }),
  },
  filter: {
    evaluate: (element) => withElement(allocator, element, (batch, writer) => {
      runner.process(batch, writer);
      return writer.forwards > 0;
    }),
  },
});

const EXPORTS = {
  processor,
  batchProcessor: processor,
  filter: processor,
  router: (runner) => ({
    router: {
      route: (element) => withElement(null, element, (batch, writer) => {
        runner.route(batch, writer);
        return writer.ports;
      }),
    },
  }),
  sink: (runner) => ({
    sink: {
      push: (element) => withElement(null, element, (batch) => signal(runner.push(batch))),
      complete: () => attempt(() => runner.complete()),
    },
  }),
  aggregator: (runner, allocator) => ({
    aggregator: {
      ingest: (element) => withElement(allocator, element, (batch, writer) => {
        runner.ingest(batch, writer);
        return writer.atMostOne();
      }),
      flush: () => attempt(() => {
        const writer = new Writer(allocator);
        while (runner.flush(writer));
        return writer.outputs;
      }),
    },
  }),
  source: (runner, allocator) => {
    let ended = false;
    return {
      source: {
        pull: () => attempt(() => {
          const writer = new Writer(allocator);
          ended = ended || !runner.pull(1, writer);
          if (writer.outputs.length === 0 && !ended) throw new Unavailable('nothing yet');
          return writer.atMostOne();
        }),
        notifyBackpressure: (pressure) => runner.notifyBackpressure(pressure === 'pause'),
      },
      acks: { acknowledge: (upTo) => runner.acknowledge(upTo) },
    };
  },
};

/** What a component of this stage exports, by name. */
export function exportsOf(stage, allocator) {
  const runner = runnerOf(stage);
  return { lifecycle: lifecycle(runner), ...EXPORTS[stage[STAGE].role](runner, allocator) };
}
