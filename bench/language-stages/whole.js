// A function of the whole run.
import { batchProcessor } from 'torvyn';

export const whole = batchProcessor((run) => run.emit(run.text.toUpperCase()));
