// The pages of `torvyn explain`: what a code means and what to do about it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torvyn::cli {

struct Explanation {
  std::string code;        // "E0203"
  std::string_view title;  // "graph invalid"
  std::string_view
      page;  // paragraphs, an empty line between them, not broken into lines; lines of Torvyn.toml among them
  std::string_view example;  // how it looks where it occurs: lines; empty for what doesn't occur yet
};

// The page of a code as people write it: "E0203", "e0203", "0203", "203" (an error's), "W0300". Nothing where there is no such code.
std::optional<Explanation> explain(std::string_view code);

// All codes that have a page: "E0001", …, "W0004", ….
std::vector<std::string> explained_codes();

}  // namespace torvyn::cli
