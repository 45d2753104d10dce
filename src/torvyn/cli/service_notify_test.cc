#include "torvyn/cli/service_notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace torvyn::cli {
namespace {

class ServiceNotifyTest : public testing::Test {
 protected:
  ~ServiceNotifyTest() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
};

TEST_F(ServiceNotifyTest, SendsWhatItIsToldToTheManagersSocket) {
  std::string folder = (std::filesystem::temp_directory_path() / "torvyn-notify-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/notify";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int manager = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(manager, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  ServiceNotify().send("READY=1\nSTATUS=all is well");
  char received[64]{};
  EXPECT_EQ(::recv(manager, received, sizeof received, MSG_DONTWAIT), 26);
  EXPECT_STREQ(received, "READY=1\nSTATUS=all is well");
  ::close(manager);
  std::filesystem::remove_all(folder);
  ServiceNotify().send("READY=1");  // nobody is there any more: no matter
}

TEST_F(ServiceNotifyTest, KeepsTheWatchdogAwakeTwiceInItsTime) {
  EXPECT_FALSE(ServiceNotify().watchdog_interval_ns());
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(ServiceNotify().watchdog_interval_ns(), 1'500'000'000U);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(ServiceNotify().watchdog_interval_ns());
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_TRUE(ServiceNotify().watchdog_interval_ns());
  ::setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_FALSE(ServiceNotify().watchdog_interval_ns());
}

}  // namespace
}  // namespace torvyn::cli
