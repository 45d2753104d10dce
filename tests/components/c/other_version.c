/* other-version: a processor of torvyn:streaming 0.2.0. */
#include "torvyn/later_transform.h"

bool exports_torvyn_streaming_0_2_0_processor_process(uint32_t input, uint32_t* result) {
  *result = input;
  return true;
}
