/* missing-import: a processor that imports an interface nobody provides. */
#include "torvyn/curious_transform.h"

#include "../../../components/c/common/element.h"
#include "../../../components/c/common/output.h"

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  drop_borrows(input);
  const uint32_t answer = test_worlds_oracle_ask(input->meta.sequence);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  return make_buffer((const uint8_t*)&answer, sizeof answer, &result->val.emit.payload, error);
}
