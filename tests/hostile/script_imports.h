/* What the script component can do, for it and for the tests that write scripts. C and C++.
 *
 * TORVYN_SCRIPT_IMPORTS(X): every function that a component may import from torvyn:*, in the order of their numbers:
 *
 *   X(name, C name, parameters)
 *
 * The parameters are those of the core function, a letter each:
 *   b m c t w  handle of a buffer, a mutable buffer, a flow context, a batch, a batch writer
 *   i l        number of 32 or 64 bits
 *   p          address of bytes; their number follows as n
 *   q          address of numbers of 32 bits; their number follows as n
 *   o          address of such numbers as bytes; the number of bytes follows as n
 *   r          address to which the result is written */
#pragma once

#define TORVYN_SCRIPT_IMPORTS(X)                                                       \
  X("[method]buffer.size", buffer_size, "b")                                           \
  X("[method]buffer.content-type", buffer_content_type, "br")                          \
  X("[method]buffer.read", buffer_read, "bllr")                                        \
  X("[method]buffer.read-all", buffer_read_all, "br")                                  \
  X("[resource-drop]buffer", buffer_drop, "b")                                         \
  X("[method]mutable-buffer.write", mutable_buffer_write, "mlpnr")                     \
  X("[method]mutable-buffer.append", mutable_buffer_append, "mpnr")                    \
  X("[method]mutable-buffer.size", mutable_buffer_size, "m")                           \
  X("[method]mutable-buffer.capacity", mutable_buffer_capacity, "m")                   \
  X("[method]mutable-buffer.set-content-type", mutable_buffer_set_content_type, "mpn") \
  X("[method]mutable-buffer.freeze", mutable_buffer_freeze, "m")                       \
  X("[resource-drop]mutable-buffer", mutable_buffer_drop, "m")                         \
  X("[method]flow-context.trace-id", flow_context_trace_id, "cr")                      \
  X("[method]flow-context.span-id", flow_context_span_id, "cr")                        \
  X("[method]flow-context.deadline-ns", flow_context_deadline_ns, "c")                 \
  X("[method]flow-context.flow-id", flow_context_flow_id, "cr")                        \
  X("[resource-drop]flow-context", flow_context_drop, "c")                             \
  X("allocate", allocate, "lr")                                                        \
  X("clone-into-mutable", clone_into_mutable, "br")                                    \
  X("[method]batch.count", batch_count, "t")                                           \
  X("[method]batch.read", batch_read, "tr")                                            \
  X("[method]batch.read-one", batch_read_one, "tillr")                                 \
  X("[method]batch.sizes", batch_sizes, "tr")                                          \
  X("[method]batch.metas", batch_metas, "tr")                                          \
  X("[method]batch.content-types", batch_content_types, "tr")                          \
  X("[method]batch.flow-id", batch_flow_id, "tr")                                      \
  X("[method]batch.trace-id", batch_trace_id, "tir")                                   \
  X("[method]batch.span-id", batch_span_id, "tr")                                      \
  X("[resource-drop]batch", batch_drop, "t")                                           \
  X("[method]batch-writer.emit", batch_writer_emit, "wpnqnqnr")                        \
  X("[method]batch-writer.forward", batch_writer_forward, "wqn")                       \
  X("[method]batch-writer.forward-to", batch_writer_forward_to, "wpnqn")               \
  X("[method]batch-writer.set-content-type", batch_writer_set_content_type, "wpn")     \
  X("[resource-drop]batch-writer", batch_writer_drop, "w")                             \
  X("log", log, "ipn")                                                                 \
  X("has-capability", has_capability, "pn")                                            \
  X("[method]batch.read-bytes", batch_read_bytes, "tr")                                \
  X("[method]batch-writer.emit-bytes", batch_writer_emit_bytes, "wpnononr")            \
  X("[method]batch-writer.forward-bytes", batch_writer_forward_bytes, "won")

enum {
#define TORVYN_SCRIPT_NUMBER(name, c_name, parameters) script_##c_name,
  TORVYN_SCRIPT_IMPORTS(TORVYN_SCRIPT_NUMBER)
#undef TORVYN_SCRIPT_NUMBER
      script_imports, /* so many are imports */

  /* A step is its number in a byte, modulo script_steps, and its words. What an import gives, and what is loaded, goes to the next
   * register. A word is a byte, modulo script_words, and what belongs to it. */
  script_load = script_imports, /* address: the 32 bits there; 0 where there is no memory */
  script_store,      /* offset, value: 32 bits into the scratch memory, wherever in it the offset comes to lie */
  script_repeat,     /* times, bytes: the steps in so many of the bytes that follow */
  script_in_realloc, /* bytes: the steps in so many of the bytes that follow are done when the host asks for memory next */
  script_recurse,    /* depth */
  script_grow,       /* pages */
  script_answer,     /* kind, a, b, c: see script.c. How the call ends */
  script_later,      /* what follows is done by `flush` */
  script_trap,
  script_steps,

  script_word_register = 0, /* a byte: which one */
  script_word_byte,         /* a byte */
  script_word_u32,          /* four, the least first */
  script_word_u64,          /* eight */
  script_word_scratch,      /* two: an address in the scratch memory */
  script_words,

  /* Registers with something in them from the start: the two handles that the call was lent, the address of the scratch memory and the
   * bytes of all memory. What comes later begins at 8 and goes round. */
  script_register_first = 0, /* the payload or the batch */
  script_register_second,    /* the context or the writer */
  script_register_scratch,
  script_register_memory,
  script_register_results = 8,
  script_registers = 64,

  script_scratch_bytes = 65536,

  script_answer_nothing = 0, /* drop; no port; no result; all is well */
  script_answer_output,      /* a: handle of the payload; b, c: content type. Of `route` and `flush`: b, c: the list */
  script_answer_error        /* a: kind, or in a batch the index; b, c: the text */
};
