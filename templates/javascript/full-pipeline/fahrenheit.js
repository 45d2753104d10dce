// A processor that turns "SENSOR CELSIUS" into "SENSOR FAHRENHEIT".
import { InvalidInput, processor } from 'torvyn';

export const fahrenheit = processor((element) => {
  const [, sensor, celsius] = /^(\S+) (-?[\d.]+)\s*$/.exec(element.text) ?? [];
  if (celsius === undefined) throw new InvalidInput(`not "SENSOR CELSIUS": ${JSON.stringify(element.text)}`);
  return `${sensor} ${((Number(celsius) * 9) / 5 + 32).toFixed(1)}\n`;
});
