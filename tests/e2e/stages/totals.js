// An aggregator: the words, each with how often it came.
import { aggregator, InvalidInput } from 'torvyn';

import { Counting } from './counting.js';

export const Totals = aggregator({ tell_each: 0 }, class {
  words = new Counting();

  constructor(settings) {
    this.tellEach = settings.tell_each;
  }

  ingest(element) {
    const word = element.text.trim();
    if (word === '') throw new InvalidInput('no word');
    return this.words.add(word) === this.tellEach ? `${word} again\n` : null;
  }

  * flush() {
    for (const [word, count] of this.words) yield `${word} ${count}\n`;
  }
});
