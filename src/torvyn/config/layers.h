// Configuration in layers: what the machine, the user, the project, the environment and the command line say, in one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/config/manifest.h"
#include "torvyn/config/node_ceilings.h"
#include "torvyn/config/origin.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// The machine's configuration. No variable and no option names another one: its [ceilings] bind who sets those.
inline constexpr std::string_view machine_config_file = "/etc/torvyn/config.toml";

// Where to look. What is empty is not read.
struct ConfigurationSources {
  std::filesystem::path machine_file = {};  // one that is not there is no error, as the next
  std::filesystem::path user_file = {};
  std::filesystem::path project_file = {};  // a Torvyn.toml, that has to be there
  std::vector<std::pair<std::string, std::string>> environment =
      {};                                     // names and values; those not of TORVYN_ are passed over
  std::vector<std::string> assignments = {};  // "runtime.max_batch=32"; later ones are stronger

  // Those of this process: the machine's file, the user's, the environment. Thread: none may change the environment meanwhile.
  static ConfigurationSources of_process();
};

// One setting as it holds.
struct EffectiveValue {
  std::string
      path;  // "runtime.pools.small_pool_size", "flow.main.nodes.upper.timeout", "flow.main.edges[0].queue_depth"
  std::string value = "null";  // as JSON; null where nothing holds: no bound, no content
  Origin origin = {};
  std::string inherited_from =
      {};              // the path of the setting that holds instead of this one; empty = it has a value of its own
  bool inert = false;  // this version does not act on it
};

// Something to know that keeps nothing from working.
struct Notice {
  std::string code;  // "W0700"
  std::string message;
  std::string hint = {};
  SourceLocation where = {};  // line 0 where it has no place
};

struct Configuration {
  bool has_project = false;  // else `manifest` holds settings alone
  Manifest manifest;
  NodeCeilings ceilings;               // for nodes that come from elsewhere: those of the manifest are within them
  std::vector<EffectiveValue> values;  // in the order of the documentation
  std::vector<Notice> notices;         // W0700 a setting without effect, W0701 an unknown variable
};

// Reads and joins all of `sources`. A setting that several of them have is the strongest one's: command line, environment, project, user,
// machine. A list is replaced, a table joined key by key. Of flows and nodes only those that the project has can be changed.
//
// In the environment, TORVYN_<SECTION>_<KEY> is the key of a section that a settings file may have (TORVYN_RUNTIME_MAX_BATCH,
// TORVYN_RUNTIME_POOLS_SMALL_POOL_SIZE), but for grants. One that is empty counts as not set. Values there and in assignments are written
// without quotes; a list as ["a", "b"] or a,b.
//
// Errors: those of load_manifest, with the place in the file, variable or assignment; E0006 an assignment that is none; E0207 an
// assignment to a flow or node that is not there, E0001 to a project's key where there is no project; E0502 beyond the machine's [ceilings], naming both places. Defaults are lowered to the
// ceilings in silence.
Result<Configuration> load_configuration(const ConfigurationSources& sources);

// The same over the text of a project's manifest; `sources.project_file` stands for it.
Result<Configuration> parse_configuration(std::string_view project_text, const ConfigurationSources& sources);

// Where the user's configuration is: config.toml in TORVYN_HOME, else in XDG_CONFIG_HOME/torvyn or ~/.config/torvyn. Empty where none of
// these variables is set.
std::filesystem::path user_config_file();

// The variables that set configuration, each with the path of its key: TORVYN_RUNTIME_MAX_BATCH, runtime.max_batch.
std::vector<std::pair<std::string, std::string>> environment_names();

}  // namespace torvyn::config
