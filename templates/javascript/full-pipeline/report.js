// A sink that tells each reading, and how many there were when the stream is complete.
import { sink } from 'torvyn';

export const Report = sink(class {
  readings = 0;

  /** @param {import('torvyn').Element} element */
  push(element) {
    this.readings += 1;
    console.log(`${element.text.trimEnd()} F`);
  }

  complete() {
    console.log(`${this.readings} readings`);
  }
});
