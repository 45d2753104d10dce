// Stages for Torvyn in JavaScript: index.js has the overview.

/** One element. Its payload is `bytes`, or `text`; everything beside it is asked of the host when it is first looked at. */
export class Element {
  private constructor();
  /** The payload: a view of the run's bytes. Copy what you change and keep. */
  readonly bytes: Uint8Array;
  /** The payload as text. Throws InvalidInput where it isn't UTF-8. */
  readonly text: string;
  /** Bytes in the payload. */
  readonly size: number;
  /** Number of the element in its flow, from 0. */
  readonly sequence: number;
  /** When it entered the flow: wall clock, nanoseconds since the Unix epoch. */
  readonly timestampNs: bigint;
  /** Nanoseconds that remain for it; 0n = no deadline, 1n = it is over. */
  readonly deadlineNs: bigint;
  /** Its content type, '' where none was set. */
  readonly contentType: string;
  /** The flow's name. */
  readonly flowId: string;
  /** W3C trace id, 32 hex digits. */
  readonly traceId: string;
  /** W3C span id of this call, 16 hex digits. */
  readonly spanId: string;
}

/** A run, as a whole-run function sees it: all payloads back to back in `bytes`; element `i` ends at `ends[i]`. */
export class Run implements Iterable<Element> {
  private constructor();
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  readonly length: number;
  /** All payloads as one text, decoded at once. Throws InvalidInput where it isn't UTF-8. */
  readonly text: string;
  [Symbol.iterator](): Iterator<Element>;
  /**
   * Writes outputs back to back, bytes or ASCII text, in one copy. Each is charged to the input it came from: `origins` holds one input
   * index an output, never falling; without it, output `i` came from input `i`. `ends`, in bytes, are the run's own unless others are given.
   */
  emit(data: Uint8Array | string, ends?: ArrayLike<number>, origins?: ArrayLike<number>): void;
  /** Passes elements on as they are, without a copy. `indices` never fall. */
  forward(indices: ArrayLike<number>): void;
}

/** An output with a content type of its own. Without one it has its input's. */
export interface Output {
  readonly payload: Payload;
  readonly contentType: string | undefined;
}
export function output(payload: Payload, options?: { contentType?: string }): Output;

export type Payload = string | Uint8Array;
/** What a stage gives for an element: a payload, the element itself (passed on uncopied), nothing, or several. */
export type Result = Payload | ArrayBuffer | Output | Element | null | undefined | void | Iterable<Result>;

/** Settings a stage declares: for each its default, or String, Number, Boolean or Object where it has to be given. */
export type Declared = Record<string, unknown>;
export type Settings<D extends Declared> = {
  [K in keyof D]: D[K] extends StringConstructor ? string
    : D[K] extends NumberConstructor ? number
    : D[K] extends BooleanConstructor ? boolean
    : D[K] extends ObjectConstructor ? Record<string, unknown>
    : D[K] extends string ? string : D[K] extends number ? number : D[K] extends boolean ? boolean : D[K];
};

/** What all classes of stages may have: `close()` is called at the end. */
interface Closing {
  close?(): void;
}
type Class<I, S> = new (settings: S) => I & Closing;
/** What a function of one input becomes: it can be called in a test. */
type Callable<A, R> = (input: A, settings?: Record<string, unknown>) => R;

interface Maker<I, A, R> {
  (definition: (input: A) => R): Callable<A, R>;
  <D extends Declared>(settings: D, definition: (input: A, settings: Settings<D>) => R): Callable<A, R>;
  (definition: Class<I, Record<string, never>>): Class<I, Record<string, never>>;
  <D extends Declared>(settings: D, definition: Class<I, Settings<D>>): Class<I, Settings<D>>;
}

/** A function of one element that gives its outputs, or a class with `process`. */
export const processor: Maker<{ process(element: Element): Result }, Element, Result>;
/** A function of a whole run, for speed: it writes with `run.emit` and `run.forward`. */
export const batchProcessor: Maker<{ process(run: Run): void }, Run, void>;
/** A function of one element, or a class with `keep`: true keeps the element. Nothing is copied. */
export const filter: Maker<{ keep(element: Element): unknown }, Element, unknown>;
/** A function of one element, or a class with `route`: the name of an output port, several, or none. Nothing is copied. */
export const router: Maker<{ route(element: Element): string | Iterable<string> | null | undefined }, Element, string | Iterable<string> | null | undefined>;
/** A function of one element, or a class with `push` and, where something is to be done after the last one, `complete`. */
export const sink: Maker<{ push(element: Element): unknown; complete?(): void }, Element, unknown>;

/** A generator of payloads: its end is the end of the stream, to yield null says "nothing yet". */
export const source: {
  (definition: () => Iterable<Payload | Output | null>): () => Iterable<Payload | Output | null>;
  <D extends Declared>(settings: D, definition: (settings: Settings<D>) => Iterable<Payload | Output | null>): (settings?: Record<string, unknown>) => Iterable<Payload | Output | null>;
  (definition: Class<SourceClass, Record<string, never>>): Class<SourceClass, Record<string, never>>;
  <D extends Declared>(settings: D, definition: Class<SourceClass, Settings<D>>): Class<SourceClass, Settings<D>>;
};
interface SourceClass extends Iterable<Payload | Output | null> {
  /** So many of its elements, from the first on, have met their fate. */
  acknowledge?(count: bigint): void;
  /** Whether the flow has become slower than this source. */
  backpressure?(paused: boolean): void;
}

/** A class with `ingest`, which may give results as a processor does, and `flush`, which gives those that are left. */
export const aggregator: {
  (definition: Class<AggregatorClass, Record<string, never>>): Class<AggregatorClass, Record<string, never>>;
  <D extends Declared>(settings: D, definition: Class<AggregatorClass, Settings<D>>): Class<AggregatorClass, Settings<D>>;
};
interface AggregatorClass {
  ingest(element: Element): Result;
  flush(): Result;
}

/** A sink returns this to ask that the next element waits a while. */
export const PAUSE: unique symbol;

/** An error about one element. What becomes of the element is for the node's `on_error` to say; the stage lives on. */
export class ProcessError extends Error {
  /** `index`: the element of the run, in a whole-run function; outputs emitted for those before it stand. */
  constructor(message?: string, options?: { index?: number });
  readonly case: string;
  index: number | undefined;
}
/** This element is not what the stage can work on. Asking again would not help. */
export class InvalidInput extends ProcessError {}
/** Not now: something the stage needs is away. It is asked again. From a source: nothing yet. */
export class Unavailable extends ProcessError {}
/** The stage failed on this element. Whatever else is thrown arrives as this one. */
export class Internal extends ProcessError {}
/** The element's deadline has passed. */
export class DeadlineExceeded extends ProcessError {}
/** The stage cannot go on. The flow ends. */
export class Fatal extends ProcessError {}
