import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from 'torvyn/testing';

import { stage } from './{{name}}.js';

test('makes letters upper case', () => {
  assert.deepEqual(run(stage, ['one\n', 'größe 2\n']), ['ONE\n', 'GRÖSSE 2\n']);
});

test('refuses what is no text', () => {
  assert.throws(() => run(stage, [Uint8Array.of(97, 255)]), { name: 'InvalidInput', message: 'not UTF-8 at byte 1' });
});
