// Calls to a running host's inspection API.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "torvyn/cli/host_address.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// The longest answer that is read: a host with thousands of flows stays below it.
inline constexpr std::size_t answer_bytes_max = std::size_t{64} << 20U;

class ApiClient {
 public:
  // Errors: E0004 the token cannot be read.
  static Result<ApiClient> open(HostAddress address);

  // The answer's body, which is JSON. `body` empty: none is sent. Without `timeout_ns` it waits for as long as it takes.
  // Errors: E0520 the host cannot be reached, or doesn't speak as it should; else what the host answered.
  Result<std::string> call(std::string_view method, std::string_view path, std::string_view body = {},
                           std::optional<std::uint64_t> timeout_ns = std::nullopt) const;

  const HostAddress& address() const noexcept { return address_; }

 private:
  ApiClient(HostAddress address, std::string token) : address_(std::move(address)), token_(std::move(token)) {}

  HostAddress address_;
  std::string token_;
};

// `text` as one part of a path.
std::string escaped_part(std::string_view text);

}  // namespace torvyn::cli
