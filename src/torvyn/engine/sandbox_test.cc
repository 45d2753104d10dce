// What an instance can reach, with a real component that tries.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "torvyn/engine/test_guest.h"

namespace torvyn::engine {
namespace {

// Of what a folder holds nothing is left behind.
class Sandbox : public GuestTest {
 protected:
  Sandbox() {
    std::string name = (std::filesystem::temp_directory_path() / "torvyn-sandbox-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    std::filesystem::create_directories(root_ / "open");
    std::filesystem::create_directories(root_ / "shut");
    put("open/a.txt", "in the open");
    put("shut/b.txt", "behind the door");
    std::filesystem::create_symlink(root_ / "shut/b.txt", root_ / "open/link.txt");
    std::filesystem::create_directory_symlink("../shut", root_ / "open/way-out");
  }
  ~Sandbox() override {
    std::error_code error;
    std::filesystem::remove_all(root_, error);
  }

  void put(const std::string& name, const std::string& text) { std::ofstream(root_ / name) << text; }

  // What came of each request.
  std::vector<std::string> ask(const std::vector<std::string>& requests) {
    const std::unique_ptr<Instance> instance = start(test_component_path("reach"));
    Run in = run_of(requests);
    Run out;
    const CallOutcome outcome = instance->process(in, out);
    EXPECT_EQ(outcome.status, CallStatus::ok)
        << (outcome.status == CallStatus::ended ? instance->failure().to_string() : "");
    return texts_of(out);
  }

  std::filesystem::path root_;
};

TEST_F(Sandbox, OfNothingHasNoFilesAndNoVariables) {
  for (const std::string& answer : ask({"read /open/a.txt", "write /open/new.txt", "read /etc/hostname"}))
    EXPECT_NE(answer.find("Capabilities insufficient"), std::string::npos) << answer;
  EXPECT_EQ(ask({"env HOME"}), std::vector<std::string>{"unset"});
}

TEST_F(Sandbox, OpensAFolderForReadingAlone) {
  options_.sandbox.folders = {{"/open", root_ / "open", false}};
  const std::vector<std::string> answers = ask({"read /open/a.txt", "write /open/a.txt", "write /open/new.txt"});
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0], "in the open");
  EXPECT_NE(answers[1], "done");
  EXPECT_NE(answers[2], "done");
  EXPECT_FALSE(std::filesystem::exists(root_ / "open/new.txt"));
  EXPECT_EQ(std::filesystem::file_size(root_ / "open/a.txt"), std::string("in the open").size());
}

TEST_F(Sandbox, OpensAFolderForWriting) {
  options_.sandbox.folders = {{"/open", root_ / "open", true}};
  EXPECT_EQ(ask({"write /open/new.txt", "read /open/new.txt"}), (std::vector<std::string>{"done", "written"}));
  EXPECT_TRUE(std::filesystem::exists(root_ / "open/new.txt"));
}

TEST_F(Sandbox, LeadsNowhereOutsideAFolder) {
  options_.sandbox.folders = {{"/open", root_ / "open", true}};
  for (const std::string way : {"/open/../shut/b.txt", "/open/link.txt", "/open/way-out/b.txt", "/shut/b.txt"}) {
    for (const std::string& answer : ask({"read " + way, "write " + way})) {
      EXPECT_NE(answer, "behind the door") << way;
      EXPECT_NE(answer, "done") << way;
    }
  }
  EXPECT_EQ(std::filesystem::file_size(root_ / "shut/b.txt"), std::string("behind the door").size());
}

TEST_F(Sandbox, HasTheVariablesItWasGivenAndNoOthers) {
  options_.sandbox.environment = {{"COLOUR", "blue"}};
  EXPECT_EQ(ask({"env COLOUR", "env PATH"}), (std::vector<std::string>{"blue", "unset"}));
}

TEST_F(Sandbox, WithoutClocksEndsACallThatAsksForTheTime) {
  options_.sandbox.clocks = false;
  const std::unique_ptr<Instance> instance = start(test_component_path("reach"));
  Run in = run_of({"time"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ended);
  const Error failure = instance->failure();
  EXPECT_EQ(failure.code(), ErrorCode::capability_denied);
  EXPECT_NE(failure.detail().hint.find(R"(capabilities = ["clocks"] in [security.grants."reach.wasm"])"),
            std::string::npos)
      << failure.to_string();
}

TEST_F(Sandbox, SaysWhichGrantedFolderCannotBeOpened) {
  options_.sandbox.folders = {{"/gone", root_ / "gone", false}};
  const Result<std::unique_ptr<Instance>> instance = instantiate(*load(test_component_path("reach")));
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code(), ErrorCode::io_failed);
  EXPECT_NE(instance.error().to_string().find("gone"), std::string::npos);
}

}  // namespace
}  // namespace torvyn::engine
