import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lean, UnknownBindings } from '../lean_bindings.js';

// As componentize-js writes them for a call that is lent a handle.
const BINDINGS = `
async function call(arg0) {
  var handle1 = arg0;
  var rsc0 = Object.create(Batch.prototype);
  Object.defineProperty(rsc0, symbolRscHandle, { writable: true, value: handle1});
  finalizationRegistry_import$types_0_1_0$batch.register(rsc0, handle1, rsc0);
  curResourceBorrows.push({ rsc: rsc0, drop: drop });
  _debugLog(' [Instruction::CallInterface] (sync, @ enter)');
  ret = await process(rsc0);
  _debugLog('[Instruction::Return]', {
    funcName: 'process',
    async: false,
  });
  var rsc2 = Object.create(Buffer.prototype);
  finalizationRegistry_import$types_0_1_0$buffer.register(rsc2, handle3, rsc2);
  return rsc2;
}
`;

test('what is only for debugging goes, and what is borrowed is not registered', () => {
  assert.equal(lean(BINDINGS), `
async function call(arg0) {
  var handle1 = arg0;
  var rsc0 = Object.create(Batch.prototype);
  rsc0[symbolRscHandle] = handle1;
  curResourceBorrows.push({ rsc: rsc0, drop: drop });
  ret = await process(rsc0);
  var rsc2 = Object.create(Buffer.prototype);
  finalizationRegistry_import$types_0_1_0$buffer.register(rsc2, handle3, rsc2);
  return rsc2;
}
`);
});

test('it says the same of the same bindings twice', () => {
  assert.equal(lean(BINDINGS), lean(BINDINGS));
});

test('bindings of another version are refused', () => {
  assert.throws(() => lean(BINDINGS.replaceAll('_debugLog', '_trace')), UnknownBindings);
  assert.throws(() => lean(BINDINGS.replace('batch.register(rsc0, handle1, rsc0)', 'batch.register(rsc0, handle1)')), UnknownBindings);
});
