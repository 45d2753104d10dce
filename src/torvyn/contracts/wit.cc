#include "torvyn/contracts/wit.h"

#include "torvyn/contracts/bridge_values.h"

namespace torvyn::contracts {

Result<std::string> wit_model(std::span<const WitFile> files) {
  const std::vector<tvb_wit_file> raw = bridge_files(files);
  tvb_string json{};
  tvb_failure failure{};
  if (tvb_wit_model(raw.data(), raw.size(), &json, &failure) != TVB_OK) {
    return fail(take_error(failure, ErrorCode::wit_syntax));
  }
  return take(json);
}

}  // namespace torvyn::contracts
