// A flow in one line: `file access.log ! upper.wasm @on_error=skip ! stdout`.
#pragma once

#include <string_view>

#include "torvyn/config/flow_config.h"
#include "torvyn/types/error.h"

namespace torvyn::pipeline {

// Reads a pipeline string.
//
// Stages are separated by a `!` that stands alone between blanks (line ends are blanks too). A stage is words: the first names
// the component (a path, or a built-in or bundled name), the others are settings. `key=value` sets a key, `@key=value` sets a
// key of the host, a word without `=` is the stage's main setting and is kept under the key "" (a built-in knows what it means:
// `file access.log` is `file path=access.log`). Words may be quoted, in part or whole, with '…' (as it stands) or "…" (with
// \" \\ \n \t); outside quotes a backslash keeps the next character. What is quoted or kept has no other meaning: `'!'` and `\!`
// are words, `'a=b'` is a main setting.
//
// The host's keys are those of a node in a manifest, with the same units, ranges and meaning: `on_error` (one action; `dead-letter`
// needs a node of its own and so a manifest), `retries`, `retry_backoff`, `on_trap`, `restarts`, `restart_window`, `instances`, `placement`,
// `timeout`, `max_memory`; those of an edge, for the stream into the stage: `queue_depth`, `queue_bytes`, `backpressure_policy`,
// `low_watermark_ratio`; and `name`.
//
// The nodes are named after their component's file without folder and ending, `upper`, then `upper-2` for a second one; a second
// `file` is named after its file, `out.log`. `@name=` overrides, and a name given so is taken before the others are made. Settings
// are rendered as a JSON object of strings in `config` (empty where there are none), and stand in `settings`. The flow is called
// `main`; it has edges, all of them, only where something was said of a stream.
//
// Errors: E0005 with line, column and caret: an empty stage, an open quote, an unknown @key, a bad value, something given twice, a
// stream into the first stage.
Result<config::FlowConfig> parse_pipeline(std::string_view text);

// What `SourceLocation::file` says for a pipeline string.
inline constexpr std::string_view pipeline_file = "<pipeline>";

// Whether `text` is meant as a pipeline string rather than the name of a flow: it holds a blank or a `!`, or ends in `.wasm`.
bool looks_like_pipeline(std::string_view text) noexcept;

}  // namespace torvyn::pipeline
