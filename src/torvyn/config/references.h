// `${env:NAME}` and `${file:PATH}` in a node's settings: secrets that stand in no manifest.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/config/flow_config.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// What stood in a reference's place. Where the value would be shown, the reference is.
struct FilledReference {
  std::string reference;  // "${env:TOKEN}"
  std::string value;
};

// The value of a variable of the environment; nothing where it is not set.
using VariableLookup = std::function<std::optional<std::string>(std::string_view name)>;
std::optional<std::string> process_variable(std::string_view name);

// The longest file that is filled in. Settings travel as one text.
inline constexpr std::uint64_t reference_bytes_max = std::uint64_t{1} << 20;

// Puts values in the place of references, in all texts of the node's `config` and `settings`, and returns what it put there.
//
//   ${env:NAME}   the variable of the environment
//   ${file:PATH}  what is in the file, without the line end at its end; a relative path is taken from `base`
//   $${           the two characters `${`, where a reference would begin
//
// Any other `$` is as it stands. What is filled in is not looked at for references.
// Errors: E0703 at the setting: not set, cannot be read, not UTF-8, longer than reference_bytes_max, no `}`.
Result<std::vector<FilledReference>> fill_references(NodeConfig& node, const std::filesystem::path& base,
                                                     const VariableLookup& lookup);

// `text` with the references in the place of their values. Values of fewer than masked_bytes_min bytes are left: they are in every text.
inline constexpr std::size_t masked_bytes_min = 4;
std::string masked(std::string text, std::span<const FilledReference> filled);
// The same for all that an error says.
Error masked(Error error, std::span<const FilledReference> filled);

}  // namespace torvyn::config
