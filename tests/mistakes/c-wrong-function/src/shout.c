#include <torvyn/processor.h>

static bool shout(const torvyn_element* in) { return in->size > 0; }
TORVYN_PROCESSOR(shout)
