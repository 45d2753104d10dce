// What totals.js imports: a module goes into a component with those it names by their paths.
export class Counting {
  counts = new Map();

  add(word) {
    this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
    return this.counts.get(word);
  }

  [Symbol.iterator]() {
    return [...this.counts].sort()[Symbol.iterator]();
  }
}
