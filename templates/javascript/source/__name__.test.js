import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from 'torvyn/testing';

import { stage } from './{{name}}.js';

test('ticks as often as it is told', () => {
  assert.deepEqual(run(stage, [], { count: 2 }), ['tick 1\n', 'tick 2\n']);
  assert.equal(run(stage).length, 10);
});
