// A router: short words to one port, long ones to the other, three letters to both.
import { InvalidInput, router } from 'torvyn';

export const route = router((element) => {
  const size = element.text.trim().length;
  if (size === 0) throw new InvalidInput('no word');
  if (size === 3) return ['short', 'long'];
  return size > 8 ? null : size < 3 ? 'short' : 'long';
});
