// A source of temperatures, "SENSOR CELSIUS".
//
// Setting: `count`, how many.
import { source } from 'torvyn';

export const readings = source({ count: 10 }, function* ({ count }) {
  for (let number = 0; number < count; number++) {
    const [sensor, base] = number % 2 === 0 ? ['kitchen', 20] : ['cellar', 10];
    yield `${sensor} ${base + number}\n`;
  }
});
