// A function of one element, as most authors write one.
import { processor } from 'torvyn';

export const each = processor((element) => element.text.toUpperCase());
