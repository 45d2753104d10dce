#include "torvyn/host/masked_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace torvyn::host {
namespace {

using testing::ElementsAre;

class Listener final : public EventSink {
 public:
  void event(Severity, std::string_view code, std::string_view node, std::string_view text) noexcept override {
    heard.push_back(std::string(code) + " " + std::string(node) + ": " + std::string(text));
  }
  void guest_line(Severity, std::string_view node, std::string_view text) noexcept override {
    heard.push_back(std::string(node) + ": " + std::string(text));
  }

  std::vector<std::string> heard;
};

TEST(MaskedEvents, PassReferencesOnInThePlaceOfTheirValues) {
  Listener listener;
  MaskedEvents events(listener, {{.reference = "${env:TOKEN}", .value = "hunter2"}});
  events.guest_line(Severity::info, "upload", "my token is hunter2");
  events.event(Severity::warn, "W0420", "upload", "teardown: hunter2 was refused");
  events.guest_line(Severity::info, "upload", "nothing to hide");
  EXPECT_THAT(listener.heard,
              ElementsAre("upload: my token is ${env:TOKEN}", "W0420 upload: teardown: ${env:TOKEN} was refused",
                          "upload: nothing to hide"));
}

}  // namespace
}  // namespace torvyn::host
