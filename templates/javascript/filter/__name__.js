// {{name}}: a filter that keeps the elements containing a text.
//
// Setting: `pattern`, the text.
import { filter } from 'torvyn';

export const stage = filter({ pattern: String }, (element, { pattern }) => element.text.includes(pattern));
