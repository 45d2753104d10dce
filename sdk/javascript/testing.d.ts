// Running a stage without a host, in a unit test: testing.js has an example.
import type { Element, Payload } from './index.js';

/** An element of one's own, to call a stage's function with. */
export function element(payload?: Payload, beside?: {
  sequence?: number; timestampNs?: bigint | number; deadlineNs?: bigint | number; contentType?: string; flowId?: string; traceId?: string; spanId?: string;
}): Element;

/**
 * Runs a stage from `init` to `teardown` and returns what it gave, as text; a router's as pairs of port and text.
 * An error of the stage is thrown; its `index` says which element of its run it is about. `limit` bounds a source.
 */
export function run(stage: unknown, elements?: Iterable<Element | Payload>, settings?: Record<string, unknown>,
  options?: { runLength?: number; limit?: number }): any[];
