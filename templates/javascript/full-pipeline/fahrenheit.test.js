import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from 'torvyn/testing';

import { fahrenheit } from './fahrenheit.js';
import { readings } from './readings.js';

test('converts', () => {
  assert.deepEqual(run(fahrenheit, ['kitchen 20\n', 'cellar -3.5\n']), ['kitchen 68.0\n', 'cellar 25.7\n']);
});

test('refuses what is no reading', () => {
  for (const text of ['kitchen', 'kitchen warm', 'a b c']) assert.throws(() => run(fahrenheit, [text]), { name: 'InvalidInput' });
});

test('takes what the source gives', () => {
  assert.equal(run(fahrenheit, run(readings, [], { count: 5 })).length, 5);
});
