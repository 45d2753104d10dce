// {{name}}: a sink that counts elements and bytes, and tells the sums when the stream is complete.
import { sink } from 'torvyn';

export const {{name_pascal}} = sink(class {
  elements = 0;
  bytes = 0;

  /** @param {import('torvyn').Element} element */
  push(element) {
    this.elements += 1;
    this.bytes += element.size;
  }

  complete() {
    console.log(`${this.elements} elements, ${this.bytes} bytes`);
  }
});
