// What stages give, written to the host in as few calls as their order allows.

import { Element } from './element.js';
import { Internal, Unavailable } from './errors.js';

const encoder = new TextEncoder();
const NONE = new Uint32Array(0);

/** So much is written at once: far more than a call costs, and little beside a component's memory. */
export const WRITE_BYTES = 1 << 20;

/** Thrown by a writer: more bytes in one call than the host's largest buffer. */
export class CapacityExceeded extends Error {}

/** Thrown by a writer: the host could not provide memory. */
export class AllocationFailed extends Error {}

class Output {
  constructor(payload, contentType) {
    this.payload = payload;
    this.contentType = contentType;
  }
}

/** An output with a content type of its own. Without one it has its input's. */
export const output = (payload, { contentType } = {}) => new Output(payload, contentType);

/** The outputs of one call. They wait here until there is much of them, or until the call ends or something must come after them. */
export class Outputs {
  /** `lent` tells of the inputs; null where there are none (a source, an aggregator): nothing has an origin then. */
  constructor(writer, lent) {
    this.writer = writer;
    this.lent = lent;
    this.parts = [];
    this.origins = [];
    this.forwarded = [];
    this.contentType = undefined; // as last said to the host
    this.size = 0; // about, in bytes
    this.count = 0;
  }

  /** What a stage gave for input `index`: bytes, text, an output, the element itself, nothing, or several of these. */
  add(index, result) {
    if (typeof result === 'string') this.put(index, result, result.length);
    else if (result instanceof Uint8Array) this.put(index, result, result.length);
    else if (result === undefined || result === null) return;
    else if (result instanceof Output) this.putOutput(index, result);
    else if (result instanceof Element) this.forward(index);
    else if (result instanceof ArrayBuffer) this.add(index, new Uint8Array(result));
    else if (typeof result[Symbol.iterator] === 'function' && !ArrayBuffer.isView(result)) for (const each of result) this.add(index, each);
    else if (typeof result.then === 'function') throw new TypeError('a stage gives its output at once, not a promise of it');
    else throw new TypeError(`a stage gives bytes, text, nothing or several of these, not ${typeof result}`);
  }

  /** One output for each input, in order: all of a run, or its beginning. */
  addRun(parts) {
    for (let i = 0; i < parts.length; i++) this.keep(i, parts[i], parts[i].length);
  }

  /** Outputs that are packed already. */
  emitPacked(bytes, ends, origins) {
    this.flush();
    if (ends.length === 0) return;
    this.count += ends.length;
    this.emit(bytes, ends instanceof Uint32Array ? ends : new Uint32Array(ends), origins.length === 0 ? NONE : new Uint32Array(origins));
  }

  /** Passes inputs on: by a router's port where one is named. */
  forwardAll(indices, port) {
    this.flush();
    if (indices.length === 0) return;
    this.count += indices.length;
    if (port === undefined) this.writer.forward(new Uint32Array(indices));
    else this.writer.forwardTo(port, new Uint32Array(indices));
  }

  /** Hands the host all that waits. */
  flush() {
    if (this.forwarded.length > 0) {
      const indices = new Uint32Array(this.forwarded);
      this.forwarded = [];
      this.writer.forward(indices);
    } else if (this.parts.length > 0) {
      const { parts, origins } = this;
      this.parts = [];
      this.origins = [];
      this.size = 0;
      const { bytes, ends } = pack(parts);
      this.emit(bytes, ends, this.lent === null ? NONE : new Uint32Array(origins));
    }
  }

  put(index, payload, size) {
    if (this.forwarded.length > 0 || this.size >= WRITE_BYTES) this.flush();
    if (this.contentType !== undefined) this.setContentType(this.lent === null ? '' : this.lent.contentType(index));
    this.keep(index, payload, size);
  }

  putOutput(index, { payload, contentType }) {
    if (contentType === undefined) return this.add(index, payload);
    if (typeof payload !== 'string' && !(payload instanceof Uint8Array)) throw new TypeError(`a payload is bytes or text, not ${typeof payload}`);
    this.setContentType(contentType);
    this.keep(index, payload, payload.length);
  }

  setContentType(contentType) {
    if (this.forwarded.length > 0) this.flush();
    if (contentType === this.contentType) return;
    this.flush();
    this.writer.setContentType(contentType);
    this.contentType = contentType;
  }

  keep(index, payload, size) {
    this.parts.push(payload);
    this.origins.push(index);
    this.size += size;
    this.count++;
  }

  forward(index) {
    if (this.lent === null) throw new TypeError('there is no input to forward here: give its bytes');
    if (this.parts.length > 0) this.flush();
    this.forwarded.push(index);
    this.count++;
  }

  /** Writes outputs; in halves where the host's largest buffer is too small for all. */
  emit(bytes, ends, origins) {
    try {
      this.writer.emit(bytes, ends, origins);
    } catch (error) {
      const index = origins.length > 0 ? origins[0] : 0;
      if (error instanceof AllocationFailed) throw new Unavailable(`no buffer for ${bytes.length} bytes of output: ${error.message}`, { index });
      if (!(error instanceof CapacityExceeded)) throw error;
      if (ends.length === 1) throw new Internal(`an output of ${bytes.length} bytes is more than the host's largest buffer holds`, { index });
      if (this.lent !== null && origins.length === 0) origins = Uint32Array.from(ends.keys());
      const half = ends.length >> 1;
      const cut = ends[half - 1];
      this.emit(bytes.subarray(0, cut), ends.slice(0, half), origins.slice(0, half));
      this.emit(bytes.subarray(cut), ends.slice(half).map((end) => end - cut), origins.slice(half));
    }
  }
}

/** Texts back to back, each up to its end in `ends`: encoded at once where each character is one byte, for calls of the encoder are dear inside a component. */
export function packText(text, ends) {
  const bytes = encoder.encode(text);
  return bytes.length === text.length ? { bytes, ends } : pack(cut(text, ends, ends.length));
}

/** The first `count` of the texts that lie back to back. */
export function cut(text, ends, count) {
  const parts = [];
  for (let i = 0; i < count; i++) parts.push(text.slice(i === 0 ? 0 : ends[i - 1], ends[i]));
  return parts;
}

/** Bytes and texts back to back. */
export function pack(parts) {
  const ends = new Uint32Array(parts.length);
  let end = 0;
  let isText = true;
  for (let i = 0; i < parts.length; i++) {
    isText &&= typeof parts[i] === 'string';
    ends[i] = end += parts[i].length;
  }
  if (isText) {
    const bytes = encoder.encode(parts.join(''));
    if (bytes.length === end) return { bytes, ends };
  }
  const encoded = parts.map((part) => (typeof part === 'string' ? encoder.encode(part) : part));
  end = 0;
  for (let i = 0; i < encoded.length; i++) ends[i] = end += encoded[i].length;
  const bytes = new Uint8Array(end);
  for (let i = 0; i < encoded.length; i++) bytes.set(encoded[i], i === 0 ? 0 : ends[i - 1]);
  return { bytes, ends };
}
