import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from 'torvyn/testing';

import { stage } from './{{name}}.js';

test('keeps what contains the pattern', () => {
  assert.deepEqual(run(stage, ['an ERROR', 'fine'], { pattern: 'ERROR' }), ['an ERROR']);
});

test('needs a pattern', () => {
  assert.throws(() => run(stage, ['a']), /`pattern` is missing/);
});
