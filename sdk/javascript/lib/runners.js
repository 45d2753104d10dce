// What a component does in each call of the contract, whatever carries it: real handles in a component, memory in a test.
//
// `batch` and `writer` have the methods of torvyn:batching's resources. What goes wrong in a call leaves it as a ProcessError, with
// the index of its element.

import { element, Lent, PLAIN_ELEMENT, Run, TEXT_ELEMENT } from './element.js';
import { asProcessError } from './errors.js';
import { cut, Outputs, packText, WRITE_BYTES } from './outputs.js';
import { parse, settle } from './settings.js';
import { STAGE } from './stage.js';

/** A sink returns this to ask that the next element waits a while. */
export const PAUSE = Symbol.for('torvyn.pause');

const FLUSH_MAX = 1024; // results in one call of `flush`, so that a call stays short

/** A stage, from `init` to `teardown`. */
class Runner {
  constructor({ definition, settings, isClass, method }) {
    this.definition = definition;
    this.declared = settings;
    this.isClass = isClass;
    this.method = method;
    this.instance = null;
    this.call = null;
    this.settings = null;
  }

  init(config) {
    try {
      this.settings = settle(this.declared, parse(config));
      if (this.isClass) {
        this.instance = new this.definition(this.settings);
        this.call = this.instance[this.method].bind(this.instance);
      } else {
        this.call = this.definition;
      }
    } catch (error) {
      throw asProcessError(error);
    }
  }

  teardown() {
    try {
      this.optional('close');
    } catch (error) {
      console.error(`close: ${error.message}`); // the contract has no other place for it
    }
  }

  /** Calls a method that a class may have. */
  optional(method, ...args) {
    try {
      return this.instance?.[method]?.(...args);
    } catch (error) {
      throw asProcessError(error);
    }
  }

  /** Goes through a run, element by element. What is written before an error stands. */
  each(batch, outputs, lent, use) {
    const { call, settings } = this;
    const { length } = lent.ends;
    let index = 0;
    try {
      for (; index < length; index++) use(index, call(element(lent, index), settings));
    } catch (error) {
      outputs?.flush();
      throw asProcessError(error, index);
    } finally {
      lent.end();
    }
  }
}

const lend = (batch) => {
  const { bytes, ends } = batch.read();
  return new Lent(bytes, ends, batch);
};

class Processor extends Runner {
  process(batch, writer) {
    const lent = lend(batch);
    const outputs = new Outputs(writer, lent);
    const { call, settings } = this;
    const { ends } = lent;
    const count = ends.length;
    const textEnds = new Uint32Array(count);
    let text = '';
    let parts = null; // what the elements so far gave, and is not with `outputs` yet; null: `text` is
    let size = 0;
    let input; // the text of the run, once an element was asked for its own
    let index = 0;
    let start = 0;
    let result;
    try {
      // The engine inside a component interprets, so this loop is most of what the SDK costs: as long as there is one text for each
      // element, it does nothing else, and no function but the author's sees its variables. The two after it do so for bytes, and for
      // whatever comes.
      for (; index < count; index++) {
        const end = ends[index];
        result = call(input == null
          ? { __proto__: PLAIN_ELEMENT, lent, index, start, end }
          : { __proto__: TEXT_ELEMENT, lent, index, text: input.slice(start, end) }, settings);
        start = end;
        if (typeof result !== 'string' || size > WRITE_BYTES) break;
        text += result;
        textEnds[index] = size += result.length;
        input ??= lent.text;
      }
      if (index === count) {
        parts = [];
        const packed = packText(text, textEnds);
        outputs.emitPacked(packed.bytes, packed.ends, []);
        return;
      }
      parts = cut(text, textEnds, index);
      if (index === 0) {
        while (result instanceof Uint8Array && size <= WRITE_BYTES) {
          parts.push(result);
          size += result.length;
          if (++index === count) break;
          result = call({ __proto__: PLAIN_ELEMENT, lent, index, start, end: ends[index] }, settings);
          start = ends[index];
        }
      }
      outputs.addRun(parts);
      parts = [];
      while (index < count) {
        outputs.add(index, result);
        if (++index === count) break;
        result = call(element(lent, index), settings);
      }
      outputs.flush();
    } catch (error) {
      outputs.addRun(parts ?? cut(text, textEnds, index));
      outputs.flush();
      throw asProcessError(error, index);
    } finally {
      lent.end();
    }
  }
}

class BatchProcessor extends Runner {
  process(batch, writer) {
    const lent = lend(batch);
    try {
      if (this.call(new Run(lent, new Outputs(writer, lent)), this.settings) !== undefined) {
        throw new TypeError('a whole-run function writes with run.emit and run.forward, and returns nothing');
      }
    } catch (error) {
      throw asProcessError(error, 0);
    } finally {
      lent.end();
    }
  }
}

class Filter extends Runner {
  process(batch, writer) {
    const lent = lend(batch);
    const kept = [];
    const outputs = { flush: () => kept.length > 0 && writer.forward(new Uint32Array(kept)) };
    this.each(batch, outputs, lent, (index, keep) => keep && kept.push(index));
    outputs.flush();
  }
}

class Router extends Runner {
  route(batch, writer) {
    const lent = lend(batch);
    const ports = new Map();
    const send = (index, port) => {
      if (typeof port !== 'string') throw new TypeError(`a router gives names of ports, not ${typeof port}`);
      if (!ports.has(port)) ports.set(port, []);
      ports.get(port).push(index);
    };
    const outputs = {
      flush: () => {
        for (const [port, indices] of ports) writer.forwardTo(port, new Uint32Array(indices));
      },
    };
    this.each(batch, outputs, lent, (index, names) => {
      for (const name of typeof names === 'string' ? [names] : names ?? []) send(index, name);
    });
    outputs.flush();
  }
}

class Sink extends Runner {
  /** Whether the next run should wait. */
  push(batch) {
    let paused = false;
    this.each(batch, null, lend(batch), (_, result) => {
      if (result === PAUSE) paused = true;
    });
    return paused;
  }

  complete() {
    this.optional('complete');
  }
}

class Aggregator extends Runner {
  left = null;

  ingest(batch, writer) {
    const outputs = new Outputs(writer, null);
    this.each(batch, outputs, lend(batch), (_, result) => outputs.add(0, result));
    outputs.flush();
  }

  /** Whether there is more. */
  flush(writer) {
    const outputs = new Outputs(writer, null);
    try {
      this.left ??= severalOf(this.instance.flush());
      for (let next = this.left.next(); !next.done; next = this.left.next()) {
        outputs.add(0, next.value);
        if (outputs.count >= FLUSH_MAX || outputs.size >= WRITE_BYTES) break;
      }
      const more = outputs.count >= FLUSH_MAX || outputs.size >= WRITE_BYTES;
      outputs.flush();
      return more;
    } catch (error) {
      throw asProcessError(error);
    }
  }
}

/** An iterator of several results, or of one alone. */
function severalOf(results) {
  const several = results !== null && typeof results === 'object' && !(results instanceof Uint8Array) && Symbol.iterator in results;
  return (several ? results : [results])[Symbol.iterator]();
}

class Source extends Runner {
  elements = null;
  failed = null;

  init(config) {
    super.init(config);
    try {
      this.elements = this.isClass ? this.call() : this.call(this.settings)[Symbol.iterator]();
    } catch (error) {
      throw asProcessError(error);
    }
  }

  /** Writes up to `most` elements. False: that was the end. */
  pull(most, writer) {
    const outputs = new Outputs(writer, null);
    let more = true;
    try {
      while (this.failed === null && outputs.count < most && outputs.size < WRITE_BYTES) {
        const { done, value } = this.elements.next();
        if (done) more = false;
        if (done || value === undefined || value === null) break;
        const before = outputs.count;
        outputs.add(0, value);
        if (outputs.count !== before + 1) throw new TypeError('a source yields one element at a time');
      }
    } catch (error) {
      this.failed = asProcessError(error);
    }
    // What came before an error goes out first.
    outputs.flush();
    if (this.failed !== null && outputs.count === 0) {
      const { failed } = this;
      this.failed = null;
      throw failed;
    }
    return more;
  }

  notifyBackpressure(paused) {
    this.optional('backpressure', paused);
  }

  acknowledge(count) {
    this.optional('acknowledge', count);
  }
}

const RUNNERS = { processor: Processor, batchProcessor: BatchProcessor, filter: Filter, router: Router, source: Source, sink: Sink, aggregator: Aggregator };

/** The runner for what `processor(…)` and the like have made. */
export function runnerOf(stage) {
  const made = stage?.[STAGE];
  if (made === undefined) throw new TypeError('this is no stage: it was not made by processor(…) or one of its like');
  return new RUNNERS[made.role](made);
}
