// A processor that does with each element what the setting `how` says.
import { InvalidInput, output, processor } from 'torvyn';

export const kitchen = processor({ how: String, at: 0 }, class {
  kept = [];

  constructor({ how, at }) {
    if (how === 'refuse') throw new RangeError('no such dish');
    this.work = this[how];
    this.at = at;
  }

  process(element) {
    return element.sequence >= this.at ? this.work(element) : element.bytes;
  }

  upper(element) {
    return element.text.toUpperCase();
  }

  several(element) {
    return [element.text.trim(), 'ä', element, null, output('{}\n', { contentType: 'application/json' })];
  }

  nothing() {}

  invalid() {
    throw new InvalidInput('not to be eaten');
  }

  broken(element) {
    const dish = {};
    return dish.spoon.size;
  }

  deep(element) {
    return `${this.deep(element)}!`;
  }

  large(element) {
    return new Uint8Array(element.sequence === 1 ? 17_000_000 : 600_000);
  }

  keep(element) {
    this.kept.push(element);
    return `${this.kept.map(({ text }) => text.trim()).join()}\n`;
  }

  tell(element) {
    console.log('printed', element.sequence);
    return `${Math.random()} ${Date.now() > 1.7e12} ${element.contentType} ${element.flowId} ${element.traceId.length}\n`;
  }

  close() {
    console.log('closed');
  }
});
