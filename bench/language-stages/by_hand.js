// The contract of one element a call, as one writes it over the bare bindings: no SDK.
import { allocate } from 'torvyn:streaming/buffer-allocator@0.1.0';

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const dispose = Symbol.dispose ?? Symbol.for('dispose');

export const processor = {
  process(input) {
    const bytes = encoder.encode(decoder.decode(input.payload.readAll()).toUpperCase());
    const buffer = allocate(BigInt(bytes.length));
    buffer.append(bytes);
    const payload = buffer.freeze();
    buffer[dispose]();
    return { tag: 'emit', val: { meta: input.meta, payload } };
  },
};
