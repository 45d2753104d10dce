#include "torvyn/cli/api_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "torvyn/types/error_codes.h"
#include "torvyn/types/file.h"

namespace torvyn::cli {
namespace {

using Json = nlohmann::json;

std::size_t append(char* bytes, std::size_t size, std::size_t count, void* answer) {
  auto& text = *static_cast<std::string*>(answer);
  if (text.size() + size * count > answer_bytes_max) return 0;
  text.append(bytes, size * count);
  return size * count;
}

struct CurlEnds {
  void operator()(CURL* curl) const noexcept { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

// What the host said was wrong, as if it had happened here.
Error error_of(const Json& error, long status, const HostAddress& address) {
  const auto text = [&error](const char* key) {
    const auto found = error.find(key);
    return found != error.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto code = error_code_from(text("code"));
  if (!code)
    return {ErrorCode::address_in_use, fmt::format("`{}` answered {}, and not as a host does", address.name(), status),
            "--host takes a host's name, its socket or its URL"};
  Error result(*code, text("message"), text("hint"));
  ErrorDetail& detail = result.detail();
  detail.file = text("file");
  if (const auto line = error.find("line"); line != error.end() && line->is_number_unsigned())
    detail.line = line->get<std::uint32_t>();
  if (const auto column = error.find("column"); column != error.end() && column->is_number_unsigned())
    detail.column = column->get<std::uint32_t>();
  detail.flow = text("flow");
  detail.node = text("node");
  detail.component = text("component");
  return result;
}

}  // namespace

Result<ApiClient> ApiClient::open(HostAddress address) {
  std::string token;
  if (!address.token_file.empty()) {
    TORVYN_LET(const std::vector<std::uint8_t> bytes, read_file(address.token_file));
    token.assign(bytes.begin(), bytes.end());
    token.erase(std::find_if(token.begin(), token.end(), [](char c) { return c == '\n' || c == '\r'; }), token.end());
  }
  return ApiClient(std::move(address), std::move(token));
}

Result<std::string> ApiClient::call(std::string_view method, std::string_view path, std::string_view body,
                                    std::optional<std::uint64_t> timeout_ns) const {
  const std::unique_ptr<CURL, CurlEnds> curl(curl_easy_init());
  if (curl == nullptr) return fail(ErrorCode::internal_error, "no HTTP client can be set up");
  const auto set = [&curl](CURLoption option, auto value) { curl_easy_setopt(curl.get(), option, value); };
  const std::string url = (address_.socket.empty() ? address_.url : "http://localhost") + std::string(path);
  const std::string verb(method);
  std::string answer;
  set(CURLOPT_URL, url.c_str());
  if (!address_.socket.empty()) set(CURLOPT_UNIX_SOCKET_PATH, address_.socket.c_str());
  set(CURLOPT_CUSTOMREQUEST, verb.c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_CONNECTTIMEOUT_MS, 5'000L);
  if (timeout_ns) set(CURLOPT_TIMEOUT_MS, static_cast<long>(*timeout_ns / 1'000'000));
  set(CURLOPT_WRITEFUNCTION, append);
  set(CURLOPT_WRITEDATA, &answer);
  curl_slist* headers = nullptr;
  if (!token_.empty()) headers = curl_slist_append(headers, ("Authorization: Bearer " + token_).c_str());
  if (!body.empty()) {
    headers = curl_slist_append(headers, "Content-Type: application/json");
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    set(CURLOPT_POSTFIELDS, body.data());
  } else if (method != "GET") {
    set(CURLOPT_POSTFIELDSIZE, 0L);
    set(CURLOPT_POSTFIELDS, "");
  }
  const std::unique_ptr<curl_slist, CurlEnds> list(headers);
  set(CURLOPT_HTTPHEADER, list.get());

  const CURLcode done = curl_easy_perform(curl.get());
  if (done != CURLE_OK)
    return fail(ErrorCode::address_in_use,
                fmt::format("cannot reach the host at `{}`: {}", address_.name(), curl_easy_strerror(done)),
                "torvyn serve starts one; --host names another one");
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  const Json json = Json::parse(answer, nullptr, false);
  if (status == 401)
    return fail(ErrorCode::address_in_use, fmt::format("the host at `{}` wants another token", address_.name()),
                "put it into a file, and name that in `[api] token_file` or TORVYN_API_TOKEN_FILE");
  if (status >= 200 && status < 300 && json.is_object()) return answer;
  const Json error = json.is_object() && json.contains("error") ? json["error"] : Json::object();
  return fail(error_of(error, status, address_));
}

std::string escaped_part(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
    escaped += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return escaped;
}

}  // namespace torvyn::cli
