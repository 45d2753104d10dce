// Where an effective value comes from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "torvyn/config/flow_config.h"

namespace torvyn::config {

// The places where a setting may be written, weakest first.
enum class Layer : std::uint8_t {
  defaults,      // nowhere
  machine,       // the machine's configuration, machine_config_file
  user,          // the user's, config.toml
  project,       // the project's Torvyn.toml
  environment,   // a variable TORVYN_<SECTION>_<KEY>
  command_line,  // --set PATH=VALUE
};

// "default", "machine", "user", "project", "environment", "command-line".
std::string_view layer_name(Layer layer) noexcept;

struct Origin {
  Layer layer = Layer::defaults;
  SourceLocation where;     // line 0 for a default
  bool is_ceiling = false;  // lowered to what the machine's [ceilings] allow, which is at `where`
};

// "Torvyn.toml:12:5", "TORVYN_RUNTIME_MAX_BATCH", "--set", "default".
std::string origin_text(const Origin& origin);

}  // namespace torvyn::config
