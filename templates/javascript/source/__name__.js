// {{name}}: a source of the lines "tick 1", "tick 2", …
//
// Setting: `count`, how many.
import { source } from 'torvyn';

export const stage = source({ count: 10 }, function* ({ count }) {
  for (let number = 1; number <= count; number++) yield `tick ${number}\n`;
});
