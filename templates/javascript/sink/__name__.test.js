import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from 'torvyn/testing';

import { {{name_pascal}} } from './{{name}}.js';

test('tells the sums', (t) => {
  const log = t.mock.method(console, 'log', () => {});
  run({{name_pascal}}, ['one', 'three']);
  assert.deepEqual(log.mock.calls.map((call) => call.arguments[0]), ['2 elements, 8 bytes']);
});
