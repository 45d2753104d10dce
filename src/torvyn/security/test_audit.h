// Private to the tests of security: events that are remembered, a folder of the test's own, and the audit log in it as it is read.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include "torvyn/types/event_sink.h"

namespace torvyn::security {

// Each entry reads "CODE text".
class ToldEvents final : public EventSink {
 public:
  void event(Severity, std::string_view code, std::string_view, std::string_view text) noexcept override {
    told.emplace_back(std::string(code) + " " + std::string(text));
  }
  void guest_line(Severity, std::string_view, std::string_view) noexcept override {}
  std::vector<std::string> told;
};

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "torvyn-security-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TestFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Every line of a file, each of which has to be JSON.
inline std::vector<nlohmann::json> json_lines(const std::filesystem::path& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

}  // namespace torvyn::security
