#include "torvyn/cli/host_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace torvyn::cli {
namespace {

using testing::HasSubstr;

class HostAddressTest : public testing::Test {
 protected:
  HostAddressTest() {
    std::string name = (std::filesystem::temp_directory_path() / "torvyn-state-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    configuration_.manifest.name = "orders";
    configuration_.manifest.directory = "/srv/orders";
    configuration_.manifest.api.token_file = "token";
  }
  ~HostAddressTest() override { std::filesystem::remove_all(folder_); }

  // What a host that runs, or one that died, leaves there.
  void leave_socket(const std::string& name) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_of(folder_, name).string().copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(fd);
  }
  Result<HostAddress> find(std::string_view said) const { return find_host(said, configuration_, folder_); }

  std::filesystem::path folder_;
  config::Configuration configuration_;
};

TEST_F(HostAddressTest, TakesNamesSocketsAndUrls) {
  EXPECT_EQ(find("main")->socket, folder_ / "main.sock");
  EXPECT_EQ(find("./x.sock")->socket, "./x.sock");
  const auto url = find("https://example.org:9465/");
  EXPECT_TRUE(url->socket.empty());
  EXPECT_EQ(url->url, "https://example.org:9465");
  EXPECT_EQ(url->token_file, "/srv/orders/token");
  EXPECT_EQ(url->name(), "https://example.org:9465");
}

TEST_F(HostAddressTest, FindsTheProjectsHostElseTheOnlyOne) {
  const auto none = find("");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ErrorCode::address_in_use);
  EXPECT_THAT(none.error().hint(), HasSubstr("torvyn serve"));
  leave_socket("returns");
  std::ofstream(folder_ / "returns.sock.lock");
  EXPECT_EQ(find("")->socket, folder_ / "returns.sock");
  leave_socket("orders");
  const auto several = find("");
  ASSERT_FALSE(several);
  EXPECT_THAT(several.error().message(), HasSubstr("orders, returns"));
  configuration_.has_project = true;
  EXPECT_EQ(find("")->socket, folder_ / "orders.sock");
}

TEST_F(HostAddressTest, MakesAStateFolderOfOnesOwn) {
  const auto made = folder_ / "run" / "torvyn";
  ASSERT_TRUE(make_state_directory(made));
  EXPECT_TRUE(make_state_directory(made));
  struct stat status{};
  ASSERT_EQ(::stat(made.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  std::ofstream(folder_ / "file");
  const Status in_a_file = make_state_directory(folder_ / "file");
  ASSERT_FALSE(in_a_file);
  EXPECT_EQ(in_a_file.error().code(), ErrorCode::io_failed);
  EXPECT_FALSE(make_state_directory(folder_ / "file" / "below"));
}

}  // namespace
}  // namespace torvyn::cli
