// What a stage is given: an element, or a whole run of them.

import { InvalidInput } from './errors.js';

const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What one run's elements share: its bytes, its text, and the host, asked of it when first wanted. */
export class Lent {
  constructor(bytes, ends, batch) {
    // The engine inside a component makes what it is handed with a `Uint8Array` that isn't the author's: `instanceof` would not know it.
    this.bytes = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.ends = ends;
    this.batch = batch;
    this.text = undefined;
    this.metas = undefined;
    this.types = undefined;
  }

  /**
   * The text of the whole run, decoded at once, where each of its bytes is one character; null where it is not so simple. A call of the
   * decoder is dear inside a component, so there is one for a run.
   */
  get ascii() {
    if (this.text === undefined) {
      try {
        const text = strict.decode(this.bytes);
        this.text = text.length === this.bytes.length ? text : null;
      } catch {
        this.text = null;
      }
    }
    return this.text;
  }

  /** The call is over: what was not asked for is out of reach. */
  end() {
    this.batch = null;
  }

  get host() {
    if (this.batch === null) throw new Error('an element that was kept: what travels beside its bytes is to be read in the call that it came with');
    return this.batch;
  }

  meta(index) {
    this.metas ??= this.host.metas();
    return this.metas[index];
  }

  contentType(index) {
    const { contentType } = this.meta(index);
    this.types ??= this.host.contentTypes();
    return this.types[contentType];
  }
}

/**
 * One element. Its payload is `bytes`, or `text`; everything beside it is asked of the host when it is first looked at.
 *
 * There are two kinds, alike to the author: a getter is a call, and calls are most of what a stage costs inside a component, whose engine
 * interprets. So once a run's text has been asked for, the elements that follow are made with theirs.
 */
export class Element {
  /** The payload: a view of the run's bytes. */
  get bytes() {
    return this.lent.bytes.subarray(this.start, this.end);
  }

  /** Bytes in the payload. */
  get size() {
    return this.end - this.start;
  }

  /** Number of the element in its flow, from 0. */
  get sequence() {
    return Number(this.lent.meta(this.index).sequence);
  }

  /** When it entered the flow: wall clock, nanoseconds since the Unix epoch. */
  get timestampNs() {
    return this.lent.meta(this.index).timestampNs;
  }

  /** Nanoseconds that remain for it; 0n = no deadline, 1n = it is over. */
  get deadlineNs() {
    return this.lent.meta(this.index).deadlineNs;
  }

  /** Its content type, '' where none was set. */
  get contentType() {
    return this.lent.contentType(this.index);
  }

  /** The flow's name. */
  get flowId() {
    return this.lent.host.flowId();
  }

  /** W3C trace id, 32 hex digits. */
  get traceId() {
    return this.lent.host.traceId(this.index);
  }

  /** W3C span id of this call, 16 hex digits. */
  get spanId() {
    return this.lent.host.spanId();
  }
}

// Elements are made of an object literal with one of these: for an engine that interprets that is half the price of `new`, and each field less
// is a tenth. `lent` is what their run shares, and `index` their place in it.

/** One that finds its text when it is asked for it: `{ lent, index, start, end }`, its place in the run's bytes. */
export const PLAIN_ELEMENT = Object.create(Element.prototype, {
  /** The payload as text. Throws InvalidInput where it isn't UTF-8. */
  text: {
    get() {
      const { ascii } = this.lent;
      return ascii === null ? decode(this.bytes) : ascii.slice(this.start, this.end);
    },
  },
});

/** One that has its text and finds its bytes: `{ lent, index, text }`. */
export const TEXT_ELEMENT = Object.create(Element.prototype, {
  start: {
    get() {
      return startOf(this.lent, this.index);
    },
  },
  end: {
    get() {
      return this.lent.ends[this.index];
    },
  },
});

const startOf = (lent, index) => (index === 0 ? 0 : lent.ends[index - 1]);

/** Element `index` of a run: with its text, once any of the run was asked for its own. */
export function element(lent, index) {
  const start = startOf(lent, index);
  const end = lent.ends[index];
  return lent.text == null
    ? { __proto__: PLAIN_ELEMENT, lent, index, start, end }
    : { __proto__: TEXT_ELEMENT, lent, index, text: lent.text.slice(start, end) };
}

/** Text of bytes. Throws InvalidInput with the first byte that is wrong. */
function decode(bytes) {
  try {
    return strict.decode(bytes);
  } catch {
    throw new InvalidInput(`not UTF-8 at byte ${valid(bytes)}`);
  }
}

/** How many bytes are UTF-8 before those that aren't. */
function valid(bytes) {
  const isText = (length) => {
    try {
      // As a stream: a character that is cut off at the end is no mistake yet.
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  let good = 0;
  for (let bad = bytes.length + 1; bad - good > 1; ) {
    const middle = (good + bad) >> 1;
    if (isText(middle)) good = middle;
    else bad = middle;
  }
  // What is left of a character that breaks off belongs to what is wrong.
  while (good > 0 && new TextDecoder().decode(bytes.subarray(0, good)).endsWith('\ufffd')) good--;
  return good;
}

/** A run, as a whole-run function sees it: all payloads back to back in `bytes`; element `i` ends at `ends[i]`. */
export class Run {
  constructor(lent, outputs) {
    this.bytes = lent.bytes;
    this.ends = lent.ends;
    this.lent = lent;
    this.outputs = outputs;
  }

  get length() {
    return this.ends.length;
  }

  /** All payloads as one text, decoded at once. Throws InvalidInput where it isn't UTF-8. */
  get text() {
    return this.lent.ascii ?? decode(this.bytes);
  }

  *[Symbol.iterator]() {
    for (let index = 0; index < this.ends.length; index++) yield element(this.lent, index);
  }

  /**
   * Writes outputs back to back, bytes or ASCII text, in one copy. Each is charged to the input it came from: `origins` holds one input
   * index an output, never falling; without it, output `i` came from input `i`. `ends`, in bytes, are the run's own unless others are given.
   */
  emit(data, ends = this.ends, origins = []) {
    this.outputs.emitPacked(typeof data === 'string' ? encoder.encode(data) : data, ends, origins);
  }

  /** Passes elements on as they are, without a copy. `indices` never fall. */
  forward(indices) {
    this.outputs.forwardAll(indices);
  }
}
