// What authors' functions and classes do, run as the host runs them. `node --test sdk/javascript/tests`
import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as torvyn from '../index.js';
import { runnerOf } from '../lib/runners.js';
import { element, MemoryBatch, MemoryWriter, run, start } from '../testing.js';

const { aggregator, batchProcessor, filter, output, processor, router, sink, source } = torvyn;

const shout = processor((each) => each.text.toUpperCase());
const number = processor((each) => {
  const value = Number(each.text);
  if (Number.isNaN(value)) throw new RangeError(`no number: ${each.text}`);
  return String(value);
});

/** What one call writes: the writer after it. */
function process(stage, elements, { settings, ...limits } = {}) {
  const batch = new MemoryBatch(elements);
  const writer = new MemoryWriter(batch, limits);
  let error;
  try {
    start(stage, settings).process(batch, writer);
  } catch (thrown) {
    error = thrown;
  }
  return { ...writer, error, outputs: writer.written.map(({ text, origin }) => [text, origin]) };
}

test('a function can be called', () => assert.equal(shout(element('hi')), 'HI'));

test('one output each is one write', () => {
  const { outputs, calls } = process(shout, ['a', '', 'c']);
  assert.deepEqual(outputs, [['A', 0], ['', 1], ['C', 2]]);
  assert.deepEqual(calls, ['emit']);
});

test('several outputs and none', () => {
  const words = processor(function* (each) {
    for (const word of each.text.split(' ')) if (word) yield word;
  });
  const { outputs, calls } = process(words, ['a b', '', 'c']);
  assert.deepEqual(outputs, [['a', 0], ['b', 0], ['c', 2]]);
  assert.deepEqual(calls, ['emit']);
});

test('every kind of output', () => {
  const given = ['1', Uint8Array.of(50), Uint8Array.of(51).buffer, output('4'), ['5', Uint8Array.of(54)], undefined, null, new Set(['7'])];
  const stage = processor((each) => given[each.sequence]);
  assert.deepEqual(run(stage, given.map(() => '')), ['1', '2', '3', '4', '5', '6', '7']);
});

test('what is no output is refused', () => {
  assert.throws(() => run(processor(() => 7), ['a']), /bytes, text, nothing or several of these, not number/);
  assert.throws(() => run(processor(() => Promise.resolve('a')), ['a']), /not a promise/);
});

test('the element itself is passed on uncopied and in order', () => {
  const stage = processor((each) => (each.text === 'b' ? ['before', each] : each));
  const { outputs, calls } = process(stage, ['a', 'b', 'c']);
  assert.deepEqual(outputs.map(([text]) => text), ['a', 'before', 'b', 'c']);
  assert.deepEqual(calls, ['forward', 'emit', 'forward']);
});

test('content types', () => {
  const stage = processor((each) => (each.text === 'b' ? output('{}', { contentType: 'application/json' }) : 'x'));
  const { written } = process(stage, [...'abc'].map((each) => element(each, { contentType: 'text/plain' })));
  assert.deepEqual(written.map(({ contentType }) => contentType), [undefined, 'application/json', 'text/plain']);
});

test('text that is not ASCII', () => {
  assert.deepEqual(run(shout, ['ä', 'b', '€ 5', '😀']), ['Ä', 'B', '€ 5', '😀']);
  assert.deepEqual(run(processor((each) => (each.sequence === 1 ? 'ü' : each.bytes)), ['a', 'b', 'c']), ['a', 'ü', 'c']);
});

test('text that is not UTF-8', () => {
  const { error, outputs } = process(shout, ['ä', Uint8Array.of(97, 98, 0xff, 99)]);
  assert.ok(error instanceof torvyn.InvalidInput);
  assert.equal(error.message, 'not UTF-8 at byte 2');
  assert.equal(error.index, 1);
  assert.deepEqual(outputs, [['Ä', 0]]);
});

test('outputs too large for one buffer are written in parts', () => {
  const { outputs } = process(shout, ['abc', 'def', 'ghi', 'jkl'], { largestBufferBytes: 7 });
  assert.deepEqual(outputs, [['ABC', 0], ['DEF', 1], ['GHI', 2], ['JKL', 3]]);
});

test('one output too large is an error of its element', () => {
  const { error, outputs } = process(shout, ['ab', 'c', 'long', 'd'], { largestBufferBytes: 3 });
  assert.match(error.message, /4 bytes/);
  assert.equal(error.index, 2);
  assert.deepEqual(outputs, [['AB', 0], ['C', 1]]);
});

test('outputs before the element in error stand, and an error tells its place', () => {
  const { error, outputs } = process(number, ['1', '2', 'x', '4']);
  assert.ok(error instanceof torvyn.Internal);
  assert.match(error.message, /^RangeError: no number: x \(stages\.test\.js:\d+/);
  assert.equal(error.index, 2);
  assert.deepEqual(outputs, [['1', 0], ['2', 1]]);
});

test('each kind of error arrives as it is', () => {
  for (const kind of ['InvalidInput', 'Unavailable', 'Internal', 'DeadlineExceeded', 'Fatal']) {
    const { error } = process(processor(() => { throw new torvyn[kind]('why'); }), ['a']);
    assert.equal(error.constructor, torvyn[kind]);
    assert.equal(error.message, 'why');
    assert.equal(error.case.replaceAll('-', ''), kind.toLowerCase());
  }
  assert.equal(process(processor(() => { throw 'text'; }), ['a']).error.message, 'thrown: text');
});

test('settings', () => {
  const pick = processor({ start: String, most: 3, loud: false }, (each, { start: begin, most, loud }) => {
    if (!each.text.startsWith(begin) || each.size > most) return undefined;
    return loud ? each.text.toUpperCase() : each;
  });
  assert.deepEqual(run(pick, ['ab', 'abcd', 'b'], { start: 'a' }), ['ab']);
  assert.deepEqual(run(pick, ['ab', 'abcd'], { start: 'a', most: '4', loud: 'true' }), ['AB', 'ABCD']);
  assert.equal(pick(element('ab'), { start: 'a', loud: true }), 'AB');
  for (const [settings, message] of [
    [{}, 'the setting `start` is missing'],
    [{ strat: 'a' }, 'unknown setting `strat`; there are start, most, loud'],
    [{ start: 'a', most: 'x' }, 'the setting `most` is to be a number, not "x"'],
    [{ start: 'a', loud: 'perhaps' }, 'the setting `loud` is to be true or false, not "perhaps"'],
    [{ start: 5 }, 'the setting `start` is to be text, not 5'],
  ]) {
    assert.throws(() => start(pick, settings), { name: 'InvalidInput', message });
  }
  assert.throws(() => start(shout, { a: 1 }), /unknown setting `a`; there are none/);
});

test('the main setting is the first', () => {
  const starts = filter({ begin: String, unused: 1 }, (each, { begin }) => each.text.startsWith(begin));
  for (const config of ['a', '{"":"a"}', '{"":"a","unused":"2"}']) {
    const runner = runnerOf(starts);
    runner.init(config);
    const batch = new MemoryBatch(['ab', 'b']);
    const writer = new MemoryWriter(batch);
    runner.process(batch, writer);
    assert.deepEqual(writer.written.map(({ text }) => text), ['ab']);
  }
});

test('a class has state and settings', () => {
  const closed = [];
  const Count = processor({ from: 0 }, class {
    constructor({ from }) {
      this.seen = from;
    }

    process() {
      return String(++this.seen);
    }

    close() {
      closed.push(this.seen);
    }
  });
  assert.deepEqual(run(Count, 'abc', { from: '5' }), ['6', '7', '8']);
  assert.deepEqual(closed, [8]);
});

test('an element can be kept', () => {
  const Previous = processor(class {
    kept = [];

    process(each) {
      this.kept.push(each);
      return this.kept.map(({ text }) => text).join();
    }
  });
  assert.deepEqual(run(Previous, 'abc', undefined, { runLength: 2 }), ['a', 'a,b', 'a,b,c']);
});

test('what travels beside an element', () => {
  const stage = processor((each) => [each.sequence, each.timestampNs, each.deadlineNs, each.contentType, each.flowId, each.traceId].join(' '));
  const one = element('a', { sequence: 7, timestampNs: 8, deadlineNs: 9, contentType: 'text/plain', flowId: 'main', traceId: 'ab' });
  assert.deepEqual(run(stage, [one]), ['7 8 9 text/plain main ab']);
  assert.equal(stage(one), '7 8 9 text/plain main ab');
});

test('a filter copies nothing and keeps what came before an error', () => {
  const positive = filter((each) => {
    if (each.text === 'x') throw new Error('no');
    return Number(each.text) > 0;
  });
  const { outputs, calls, error } = process(positive, ['1', '-1', '2', 'x', '3']);
  assert.deepEqual(outputs, [['1', 0], ['2', 2]]);
  assert.deepEqual(calls, ['forward']);
  assert.equal(error.index, 3);
});

test('a router', () => {
  const route = router((each) => ({ a: 'one', b: ['one', 'two'] })[each.text]);
  assert.deepEqual(run(route, 'abc').sort(), [['one', 'a'], ['one', 'b'], ['two', 'b']]);
  assert.throws(() => run(router(() => 5), 'a'), torvyn.Internal);
});

test('a source ends, waits, and gives what it had before an error', () => {
  const count = source({ to: Number }, function* (settings) {
    for (let i = 0; i < settings.to; i++) yield String(i);
  });
  assert.deepEqual(run(count, [], { to: 5 }, { runLength: 2 }), ['0', '1', '2', '3', '4']);

  const slow = start(source(function* () {
    yield 'a';
    yield null;
    yield 'b';
    throw new Error('gone');
  }));
  for (const expected of [['a'], ['b']]) {
    const writer = new MemoryWriter();
    assert.equal(slow.pull(10, writer), true);
    assert.deepEqual(writer.written.map(({ text }) => text), expected);
  }
  assert.throws(() => slow.pull(10, new MemoryWriter()), /Error: gone/);
});

test('a sink', () => {
  const taken = [];
  const Collect = sink(class {
    push({ text }) {
      taken.push(text);
      return text === 'b' ? torvyn.PAUSE : undefined;
    }

    complete() {
      taken.push('complete');
    }
  });
  const runner = start(Collect);
  assert.equal(runner.push(new MemoryBatch('a')), false);
  assert.equal(runner.push(new MemoryBatch('bc')), true);
  runner.complete();
  assert.deepEqual(taken, ['a', 'b', 'c', 'complete']);
});

test('an aggregator', () => {
  const Sum = aggregator(class {
    total = 0;

    ingest({ text }) {
      this.total += Number(text);
      return this.total > 10 ? `past 10: ${this.total}` : undefined;
    }

    * flush() {
      for (let i = 0; i < 3000; i++) yield `${this.total}.${i}`;
    }
  });
  const outputs = run(Sum, ['5', '6'], undefined, { limit: 10_000 });
  assert.deepEqual(outputs.slice(0, 2), ['past 10: 11', '11.0']);
  assert.equal(outputs.length, 3001);
});

test('whole runs', () => {
  const stage = batchProcessor((each) => each.emit(each.text.toUpperCase()));
  assert.deepEqual(run(stage, ['ab', 'c']), ['AB', 'C']);
  const failing = batchProcessor((each) => {
    each.forward([0]);
    throw new torvyn.InvalidInput('no more', { index: 1 });
  });
  const { error, outputs } = process(failing, ['d', 'e']);
  assert.deepEqual([error.index, outputs], [1, [['d', 0]]]);
});

test('what cannot be a stage is refused', () => {
  assert.throws(() => processor(5), /takes a function or a class/);
  assert.throws(() => processor(class Empty {}), /Empty is a processor, so it needs a method `process`/);
  assert.throws(() => aggregator(() => 1), /`ingest` and `flush`/);
  assert.throws(() => sink(async () => {}), /async/);
  assert.throws(() => run(() => 1), /no stage/);
});
