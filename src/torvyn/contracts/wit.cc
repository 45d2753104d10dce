#include "torvyn/contracts/wit.h"

#include "torvyn/contracts/bridge_values.h"
#include "torvyn/contracts/embedded.h"

namespace torvyn::contracts {

std::span<const WitFile> builtin_packages() noexcept {
  // "wit/torvyn-acks/acks.wit" is a file of the package "torvyn-acks".
  static const std::vector<WitFile> packages = [] {
    std::vector<WitFile> files;
    for (const EmbeddedFile& file : embedded_files("wit/")) {
      if (!file.path.ends_with(".wit")) continue;
      const std::string_view folder = file.path.substr(0, file.path.rfind('/'));
      files.push_back({folder.substr(folder.rfind('/') + 1), file.path, file.text});
    }
    return files;
  }();
  return packages;
}

std::string_view guest_runtime() noexcept {
  return embedded_files("src/torvyn/contracts/guest/runtime.c").front().text;
}

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
