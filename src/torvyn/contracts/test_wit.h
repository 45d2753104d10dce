// For tests: a package of WIT with a source, in two versions of which one is changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "torvyn/contracts/wit_model.h"
#include "torvyn/types/assert.h"

namespace torvyn::contracts {

inline WitModel model_of(std::string_view text) {
  const std::vector<WitFile> files = {{"test", "test.wit", text}};
  Result<WitModel> model = read_wit(files);
  TORVYN_ASSERT(model.has_value(), "the test's WIT is right");
  return *std::move(model);
}

}  // namespace torvyn::contracts
