"""The contract of one element a call, as one writes it over the bare bindings: no SDK."""

from wit_world.imports import torvyn_streaming_types_0_1_0 as types
from wit_world.imports.torvyn_streaming_buffer_allocator_0_1_0 import allocate


class TorvynStreamingProcessor010:
    def process(self, input):
        data = input.payload.read_all().upper()
        with allocate(len(data)) as buffer:
            buffer.append(data)
            payload = buffer.freeze()
        return types.ProcessResult_Emit(types.OutputElement(input.meta, payload))
