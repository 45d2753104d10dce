#include "torvyn/contracts/bridge_values.h"

namespace torvyn::contracts {

std::vector<tvb_wit_file> bridge_files(std::span<const WitFile> files) {
  std::vector<tvb_wit_file> result;
  result.reserve(files.size());
  for (const WitFile& file : files) result.push_back({view_of(file.package), view_of(file.path), view_of(file.text)});
  return result;
}

Error error_of(const tvb_failure& failure, ErrorCode otherwise) {
  const bool is_wit = failure.line != 0;
  ErrorCode code = otherwise;
  if (failure.kind == TVB_FAILURE_PANIC) code = ErrorCode::internal_error;
  if (failure.kind == TVB_FAILURE_UNRESOLVED) code = ErrorCode::wit_unresolved;
  if (failure.kind == TVB_FAILURE_INVALID && is_wit) code = ErrorCode::wit_syntax;
  Error error(code, std::string(text_of(failure.message)));
  if (failure.file.size != 0) {
    error = std::move(error).at_file(std::string(text_of(failure.file)), failure.line, failure.column);
  }
  return error;
}

Error take_error(tvb_failure& failure, ErrorCode otherwise) {
  Error error = error_of(failure, otherwise);
  tvb_failure_free(&failure);
  return error;
}

}  // namespace torvyn::contracts
