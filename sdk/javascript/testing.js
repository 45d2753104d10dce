// Running a stage without a host, in a unit test.
//
//     import { run } from 'torvyn/testing';
//     assert.deepEqual(run(grep, ['one', 'two'], { pattern: 'two' }), ['two']);

import { Element, element as elementOf, Lent } from './lib/element.js';
import { CapacityExceeded } from './lib/outputs.js';
import { runnerOf } from './lib/runners.js';
import { STAGE } from './lib/stage.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** An element of one's own, to call a stage's function with. */
export function element(payload = '', { sequence = 0, timestampNs = 0n, deadlineNs = 0n, contentType = '', flowId = '', traceId = '', spanId = '' } = {}) {
  const bytes = typeof payload === 'string' ? encoder.encode(payload) : payload;
  const meta = { sequence: BigInt(sequence), timestampNs: BigInt(timestampNs), deadlineNs: BigInt(deadlineNs), contentType: 0 };
  const host = { metas: () => [meta], contentTypes: () => [contentType], flowId: () => flowId, traceId: () => traceId, spanId: () => spanId };
  return elementOf(new Lent(bytes, Uint32Array.of(bytes.length), host), 0);
}

/** A run of elements, as torvyn:batching's `batch`. */
export class MemoryBatch {
  constructor(elements) {
    this.elements = [...elements].map((each, index) => (each instanceof Element ? each : element(each, { sequence: index })));
  }

  read() {
    const ends = [];
    const all = [];
    for (const { bytes } of this.elements) {
      all.push(...bytes);
      ends.push(all.length);
    }
    return { bytes: Uint8Array.from(all), ends: Uint32Array.from(ends) };
  }

  metas() {
    return this.elements.map(({ sequence, timestampNs, deadlineNs }, contentType) => ({ sequence: BigInt(sequence), timestampNs, deadlineNs, contentType }));
  }

  contentTypes() {
    return this.elements.map(({ contentType }) => contentType);
  }

  flowId() {
    return this.elements[0].flowId;
  }

  traceId(index) {
    return this.elements[index].traceId;
  }

  spanId() {
    return this.elements[0].spanId;
  }
}

const rises = (indices) => indices.every((index, i) => i === 0 || indices[i - 1] <= index);

function claim(condition, message) {
  if (!condition) throw new Error(`the host would trap: ${message}`);
}

/** Takes outputs, as torvyn:batching's `batch-writer`. Where the host would trap, it throws. */
export class MemoryWriter {
  constructor(batch = null, { largestBufferBytes = 16 << 20 } = {}) {
    this.batch = batch;
    this.largestBufferBytes = largestBufferBytes;
    this.contentType = undefined;
    this.written = []; // { bytes, text, origin, contentType, port }
    this.calls = []; // what was called, to count copies by
  }

  emit(bytes, ends, origins) {
    claim(rises(ends) && (ends.length === 0 ? 0 : ends[ends.length - 1]) === bytes.length, 'ends do not fit');
    if (this.batch === null) claim(origins.length === 0, 'outputs of nothing have no origins');
    else if (origins.length === 0) {
      claim(ends.length === this.batch.elements.length, 'no origins, and not one output for each input');
      origins = Uint32Array.from(ends.keys());
    } else claim(rises(origins) && origins.length === ends.length, 'origins do not fit');
    if (bytes.length > this.largestBufferBytes) throw new CapacityExceeded();
    this.calls.push('emit');
    ends.forEach((end, i) => {
      const part = bytes.slice(i === 0 ? 0 : ends[i - 1], end);
      this.written.push({ bytes: part, text: decoder.decode(part), origin: origins[i] ?? -1, contentType: this.contentType, port: 'output' });
    });
  }

  forward(indices) {
    this.forwardTo('output', indices);
  }

  forwardTo(port, indices) {
    claim(rises(indices) && indices[indices.length - 1] < this.batch.elements.length, 'indices do not fit');
    this.calls.push('forward');
    for (const index of indices) {
      const { bytes } = this.batch.elements[index];
      this.written.push({ bytes, text: decoder.decode(bytes), origin: index, contentType: undefined, port });
    }
  }

  setContentType(contentType) {
    this.contentType = contentType;
  }
}

/** A stage after `init`, to be called by hand. */
export function start(stage, settings) {
  const runner = runnerOf(stage);
  runner.init(settings === undefined ? '' : JSON.stringify(settings));
  return runner;
}

/**
 * Runs a stage from `init` to `teardown` and returns what it gave, as text; a router's as pairs of port and text.
 *
 * An error of the stage is thrown; its `index` says which element of its run it is about. `limit` bounds a source.
 */
export function run(stage, elements = [], settings = undefined, { runLength = 64, limit = 1000 } = {}) {
  const runner = start(stage, settings);
  const { role } = stage[STAGE];
  const outputs = [];
  const take = ({ written }) => outputs.push(...written.map(({ port, text }) => (role === 'router' ? [port, text] : text)));
  const repeat = (call) => {
    for (let more = true; more && outputs.length < limit; ) {
      const writer = new MemoryWriter();
      more = call(writer);
      take(writer);
    }
  };

  if (role === 'source') repeat((writer) => runner.pull(Math.min(runLength, limit - outputs.length), writer));
  const all = [...elements];
  for (let first = 0; first < all.length; first += runLength) {
    const batch = new MemoryBatch(all.slice(first, first + runLength));
    const writer = new MemoryWriter(role === 'aggregator' ? null : batch);
    if (role === 'sink') runner.push(batch);
    else if (role === 'router') runner.route(batch, writer);
    else if (role === 'aggregator') runner.ingest(batch, writer);
    else runner.process(batch, writer);
    take(writer);
  }
  if (role === 'aggregator') repeat((writer) => runner.flush(writer));
  if (role === 'sink') runner.complete();
  runner.teardown();
  return outputs;
}
