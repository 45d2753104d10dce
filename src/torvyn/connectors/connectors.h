// The built-in stages: sources and sinks in C++, behind the same interface as components.
//
//   generate  source   numbered payloads, as many and as fast as asked for
//   file      both     a file, FIFO or device by lines or chunks; as a sink NAME.partial, renamed when complete
//   stdin     source   standard input, by lines or chunks
//   stdout    sink     standard output
//   null      sink     drops everything
//
// A line is what ends in "\n", "\r\n" or "\r", and its payload includes that ending; what follows the last ending is a
// line without one. Sinks write payloads as they are. So what passes unchanged leaves byte for byte as it came in.
//
// What one pull gives is slices of one buffer: no bytes move between reading and the first component, and a batch stage
// finds its run in one piece.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "torvyn/config/flow_config.h"
#include "torvyn/reactor/stage.h"
#include "torvyn/resources/buffer_pool.h"
#include "torvyn/resources/content_types.h"
#include "torvyn/types/clock.h"
#include "torvyn/types/error.h"

namespace torvyn::connectors {

// Where in a chain a stage stands.
enum class Position : std::uint8_t { source, sink };

// The positions a stage can take, or a setting has a meaning in.
struct Positions {
  bool source = false;
  bool sink = false;
  constexpr bool contains(Position position) const noexcept { return position == Position::source ? source : sink; }
};

// One setting of a stage, for messages and for `torvyn stages`.
struct SettingInfo {
  std::string_view key;
  std::string_view type;                // "path", "number", "size", "text", "true or false", "fail or split"
  std::string_view default_value = {};  // empty: none; `help` says what that means
  std::string_view help;
  Positions positions;
  bool main = false;  // may be written as a word alone: `file access.log`
};

struct BuiltinInfo {
  std::string_view name;
  Positions positions;
  std::string_view summary;
  std::span<const SettingInfo> settings;
};

// All built-in stages, in the order to show them. Static.
std::span<const BuiltinInfo> builtins() noexcept;

// The stage called `name`, with or without "builtin:" before it; null where there is none.
const BuiltinInfo* find_builtin(std::string_view name) noexcept;

// What built-in stages need from their host. All pointers are required, and what they point to outlives the stages; the pool
// outlives the elements too, which may outlive the stage that gave them.
struct ConnectorContext {
  resources::BufferPool* pool = nullptr;
  resources::ContentTypes* content_types = nullptr;
  const Clock* clock = nullptr;
  reactor::Interrupt* interrupt = nullptr;
  std::filesystem::path base_directory;  // relative paths start here; empty: the working directory
  std::uint64_t max_buffer_bytes = 0;    // longest payload; 0: what the pool allows, which bounds it in any case
  int stdin_fd = 0;                      // borrowed: neither closed nor set to another mode
  int stdout_fd = 1;
};

// Makes the stage that `node` names and configures; opens nothing yet (that is `start`).
//
// The stages write to pipes with plain writes: whoever runs them ignores SIGPIPE (and SIGXFSZ), or a reader that goes away
// ends the process instead of the flow. A library can't decide that for its program.
//
// Errors, placed where the setting was written: E0210 no such built-in, E0203 a source as a sink or the other way round,
// E0701 unknown setting with the nearest one, E0702 bad value, E0006 a setting missing, given twice or without a meaning here.
Result<std::unique_ptr<reactor::Stage>> make_builtin(const config::NodeConfig& node, Position position,
                                                     const ConnectorContext& context);

}  // namespace torvyn::connectors
