// {{name}}: a processor that makes letters upper case.
import { processor } from 'torvyn';

export const stage = processor((element) => element.text.toUpperCase());
