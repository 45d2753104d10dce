// What the tests of this folder share: a pool, a temporary folder, and stages made as a host makes them.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "torvyn/connectors/connectors.h"

namespace torvyn::connectors {

using Setting = std::pair<std::string, std::string>;

inline std::string text_of(const resources::Element& element) {
  const auto bytes = element.payload.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A pipe whose ends are closed at the end, if they still are open.
class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) std::abort();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_read_end();
    close_write_end();
  }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_read_end() { close_end(ends_[0]); }
  void close_write_end() { close_end(ends_[1]); }
  void write(std::string_view text) const {
    ASSERT_EQ(::write(write_end(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

 private:
  static void close_end(int& end) {
    if (end >= 0) close(std::exchange(end, -1));
  }
  std::array<int, 2> ends_{-1, -1};
};

class StageTest : public testing::Test {
 protected:
  StageTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "torvyn-connectors-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    folder_ = pattern;
    resources::PoolOptions options;
    options.kept = {64, 64, 16, 4};
    auto pool = resources::BufferPool::create(options);
    if (!pool) std::abort();
    pool_ = *std::move(pool);
    context_ = {.pool = pool_.get(),
                .content_types = &content_types_,
                .clock = &SystemClock::instance(),
                .interrupt = &interrupt_,
                .base_directory = folder_};
  }
  ~StageTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(std::string_view name) const { return folder_ / name; }
  void write_file(std::string_view name, std::string_view text) const {
    std::ofstream(file(name), std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
  }
  std::string read_file(std::string_view name) const {
    std::ifstream stream(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  bool exists(std::string_view name) const { return std::filesystem::exists(file(name)); }

  Result<std::unique_ptr<reactor::Stage>> try_make(Position position, std::string_view component,
                                                   std::vector<Setting> settings = {}) {
    config::NodeConfig node;
    node.name = "node";
    node.component = component;
    node.where = {.file = "<pipeline>", .line = 1, .column = 1, .length = 4, .text = nullptr};
    std::uint32_t column = 10;
    for (const auto& [key, value] : settings) {
      node.settings_where[key] = {.file = "<pipeline>", .line = 1, .column = column, .length = 1, .text = nullptr};
      column += 10;
    }
    node.settings = std::move(settings);
    return make_builtin(node, position, context_);
  }
  std::unique_ptr<reactor::Stage> make(Position position, std::string_view component,
                                       std::vector<Setting> settings = {}) {
    auto stage = try_make(position, component, std::move(settings));
    if (!stage) {
      ADD_FAILURE() << stage.error().to_string();
      std::abort();
    }
    return *std::move(stage);
  }
  std::unique_ptr<reactor::Stage> started(Position position, std::string_view component,
                                          std::vector<Setting> settings = {}) {
    auto stage = make(position, component, std::move(settings));
    if (const auto status = stage->start(); !status) {
      ADD_FAILURE() << status.error().to_string();
      std::abort();
    }
    return stage;
  }
  // The error of starting, which must fail.
  Error start_error(Position position, std::string_view component, std::vector<Setting> settings) {
    const auto status = make(position, component, std::move(settings))->start();
    if (status) {
      ADD_FAILURE() << "started";
      std::abort();
    }
    return status.error();
  }

  // All payloads, until the end of the stream.
  static std::vector<std::string> pull_all(reactor::Stage& source, const reactor::PullLimits& limits = {}) {
    std::vector<std::string> texts;
    resources::Run run;
    for (;;) {
      const auto outcome = source.pull(limits, run);
      for (const auto& element : run) texts.push_back(text_of(element));
      resources::clear_run(run);
      if (outcome.status == reactor::StageStatus::end_of_stream) return texts;
      if (outcome.status != reactor::StageStatus::ok) {
        ADD_FAILURE() << "pull gave status " << static_cast<int>(outcome.status);
        return texts;
      }
    }
  }
  std::vector<std::string> elements_of(std::string_view text, std::vector<Setting> settings = {}) {
    write_file("in", text);
    settings.emplace_back("", "in");
    return pull_all(*started(Position::source, "file", std::move(settings)));
  }

  // Elements with these payloads, each in a buffer of its own.
  resources::Run run_of(const std::vector<std::string>& texts) const {
    resources::Run run;
    for (const std::string& text : texts) {
      resources::Element element;
      EXPECT_EQ(pool_->allocate(text.size(), element.payload), resources::AllocateStatus::ok);
      std::copy(text.begin(), text.end(), reinterpret_cast<char*>(element.payload.writable().data()));
      element.payload.set_size(static_cast<std::uint32_t>(text.size()));
      EXPECT_TRUE(element.payload.apply(resources::BufferAction::publish));
      run.push_back(std::move(element));
    }
    return run;
  }

  std::uint64_t live_buffers() const { return pool_->stats().live; }

  std::filesystem::path folder_;
  std::unique_ptr<resources::BufferPool> pool_;
  resources::ContentTypes content_types_;
  reactor::Interrupt interrupt_;
  ConnectorContext context_;
};

}  // namespace torvyn::connectors
