// What an instance can reach, with a real component that tries.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include "torvyn/config/references.h"
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

// A socket of this process that takes connections.
class Listener {
 public:
  explicit Listener(int type) : fd_(socket(AF_INET, type, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool bound = bind(fd_, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                       (type != SOCK_STREAM || listen(fd_, 8) == 0) &&
                       getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (!bound) std::abort();
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd() const { return fd_; }
  std::string port() const { return std::to_string(port_); }
  std::string address() const { return "127.0.0.1:" + port(); }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

class Network : public GuestTest {
 protected:
  Network() {
    std::string name = (std::filesystem::temp_directory_path() / "torvyn-network-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    audit_ = security::AuditLog::open({.path = folder_ / "audit.jsonl"}).value();
    options_.audit = audit_.get();
  }
  ~Network() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }

  void grant(const std::vector<std::string>& grants) {
    std::vector<config::Capability> capabilities;
    for (const std::string& text : grants) capabilities.push_back(config::parse_capability(text).value());
    Result<security::Sandbox> sandbox = security::make_sandbox(capabilities, {}, config::process_variable);
    ASSERT_TRUE(sandbox) << sandbox.error().to_string();
    options_.sandbox = *std::move(sandbox);
  }

  std::vector<std::string> ask(const std::vector<std::string>& requests) {
    instance_ = start(test_component_path("dials"));
    Run in = run_of(requests);
    Run out;
    const CallOutcome outcome = instance_->process(in, out);
    EXPECT_EQ(outcome.status, CallStatus::ok)
        << (outcome.status == CallStatus::ended ? instance_->failure().to_string() : "");
    return texts_of(out);
  }

  // "denied tcp-connect 127.0.0.1:80", each line of the audit log about something that was asked for.
  std::vector<std::string> audited() const {
    std::vector<std::string> told;
    std::ifstream file(folder_ / "audit.jsonl");
    for (std::string line; std::getline(file, line);) {
      const nlohmann::json json = nlohmann::json::parse(line);
      if (json["event"] == "granted") continue;
      told.push_back(json["event"].get<std::string>() + " " + json["capability"].get<std::string>() + " " +
                     json["target"].get<std::string>());
    }
    return told;
  }

  std::filesystem::path folder_;
  std::unique_ptr<security::AuditLog> audit_;
  std::unique_ptr<Instance> instance_;
};

using Strings = std::vector<std::string>;

TEST_F(Network, IsShutWithoutAGrantAndEachAttemptIsRecorded) {
  const Listener listener(SOCK_STREAM);
  EXPECT_EQ(
      ask({"connect " + listener.address(), "listen 0", "udp 127.0.0.1:53", "lookup localhost", "lookup 127.0.0.1"}),
      (Strings{"access-denied", "access-denied", "access-denied", "access-denied", "access-denied"}));
  EXPECT_EQ(audited(), (Strings{"denied tcp-connect ipv4", "denied tcp-connect ipv4", "denied udp ipv4",
                                "denied name-lookup localhost", "denied name-lookup 127.0.0.1"}));
}

TEST_F(Network, ReachesTheAddressesOfItsGrantAndNoOthers) {
  const Listener granted(SOCK_STREAM);
  const Listener other(SOCK_STREAM);
  grant({"tcp-connect:" + granted.address()});
  EXPECT_EQ(ask({"connect " + granted.address(), "connect " + other.address(), "listen " + granted.port()}),
            (Strings{"connected", "access-denied", "access-denied"}));
  EXPECT_EQ(audited(), (Strings{"denied tcp-connect " + other.address(), "denied tcp-listen " + granted.address()}));
}

TEST_F(Network, RefusesANameThatPointsInward) {
  const Listener listener(SOCK_STREAM);
  grant({"tcp-connect:localhost"});
  EXPECT_EQ(ask({"lookup localhost", "call localhost " + listener.port(), "lookup example.org"}),
            (Strings{"127.0.0.1", "access-denied", "access-denied"}));
  EXPECT_EQ(audited(), (Strings{"denied tcp-connect " + listener.address(), "denied name-lookup example.org"}));
  grant({"tcp-connect:localhost,127.0.0.0/8"});
  EXPECT_EQ(ask({"call localhost " + listener.port()}), Strings{"connected"});
}

TEST_F(Network, LooksUpTheNamesOfItsGrantAndReachesNoneOfThem) {
  const Listener listener(SOCK_STREAM);
  grant({"name-lookup:localhost"});
  EXPECT_EQ(ask({"lookup localhost", "lookup example.org", "call localhost " + listener.port()}),
            (Strings{"127.0.0.1", "access-denied", "access-denied"}));
}

TEST_F(Network, ListensWhereItWasGranted) {
  std::string free_port;
  {
    const Listener listener(SOCK_STREAM);
    free_port = listener.port();
  }
  grant({"tcp-listen:127.0.0.1:" + free_port});
  EXPECT_EQ(ask({"listen " + free_port, "listen 1"}), (Strings{"listening", "access-denied"}));
  EXPECT_EQ(audited(), Strings{"denied tcp-listen 127.0.0.1:1"});
}

TEST_F(Network, SendsDatagramsWhereItWasGranted) {
  const Listener granted(SOCK_DGRAM);
  grant({"udp:" + granted.address()});
  EXPECT_EQ(ask({"udp " + granted.address(), "udp 127.0.0.1:9"}), (Strings{"sent", "access-denied"}));
  std::array<char, 16> text{};
  EXPECT_EQ(recv(granted.fd(), text.data(), text.size(), 0), 5);
  EXPECT_EQ(std::string(text.data()), "hello");
}

TEST_F(Network, RecordsUsesWhereThatIsAskedFor) {
  const Listener listener(SOCK_STREAM);
  audit_->set_tells_uses(true);
  grant({"tcp-connect:" + listener.address()});
  EXPECT_EQ(ask({"connect " + listener.address()}), Strings{"connected"});
  EXPECT_EQ(audited(),
            (Strings{"used tcp-connect ipv4", "used tcp-connect 0.0.0.0:0", "used tcp-connect " + listener.address()}));
  const auto names = config::capability_names();
  const auto index = static_cast<std::size_t>(std::ranges::find(names, "tcp-connect") - names.begin());
  EXPECT_EQ(instance_->capability_counts()[index], (security::CapabilityCount{.exercises = 3, .denials = 0}));
}

TEST_F(Network, AnswersTruthfullyWhatIsGranted) {
  grant({"tcp-connect:*.example.org:443,10.0.0.0/8", "environment:HOME,LANG"});
  EXPECT_EQ(ask({"has tcp-connect", "has tcp-connect:api.example.org:443", "has tcp-connect:api.example.org:80",
                 "has tcp-connect:10.1.0.0/16", "has tcp-connect:11.0.0.1", "has environment:LANG",
                 "has environment:PATH", "has udp", "has clocks", "has logging"}),
            (Strings{"yes", "yes", "no", "yes", "no", "yes", "no", "no", "no", "no"}));
}

TEST_F(Network, BoundsTheHandlesOfWasi) {
  const Listener listener(SOCK_STREAM);
  grant({"tcp-connect:" + listener.address()});
  options_.holdings.handles = 32;
  EXPECT_EQ(ask({"hold 30"}), Strings{"held"});
  const std::unique_ptr<Instance> instance = start(test_component_path("dials"));
  Run in = run_of({"hold 40"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ended);
  const Error failure = instance->failure();
  EXPECT_EQ(failure.code(), ErrorCode::capacity_exceeded);
  EXPECT_NE(failure.message().find("32"), std::string::npos) << failure.message();
  EXPECT_NE(failure.message().find("max_handles"), std::string::npos) << failure.message();
}

TEST_F(Network, EndsWhoCannotBeRecordedWhereThatHasToBe) {
  audit_ = security::AuditLog::open({.path = folder_ / "sub" / "audit.jsonl", .stops_on_failure = true}).value();
  options_.audit = audit_.get();
  const std::unique_ptr<Instance> instance = start(test_component_path("dials"));
  std::filesystem::remove_all(folder_ / "sub");
  std::ofstream(folder_ / "sub") << "";
  Run in = run_of({"connect 127.0.0.1:1"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ended);
  EXPECT_EQ(instance->failure().code(), ErrorCode::audit_failed);
  const Result<std::unique_ptr<Instance>> another = instantiate(*load(test_component_path("dials")));
  ASSERT_FALSE(another);
  EXPECT_EQ(another.error().code(), ErrorCode::audit_failed);
}

TEST_F(Sandbox, RecordsPathsThatLeadOutside) {
  const std::unique_ptr<security::AuditLog> audit = security::AuditLog::open({.path = root_ / "audit.jsonl"}).value();
  options_.audit = audit.get();
  options_.sandbox.folders = {{"/open", root_ / "open", false}};
  ask({"read /open/a.txt", "read /open/link.txt", "write /open/new.txt"});
  std::ifstream file(root_ / "audit.jsonl");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str().find("a.txt"), std::string::npos) << text.str();
  EXPECT_NE(text.str().find(R"("capability":"filesystem-read","function":"descriptor.open-at","target":"link.txt")"),
            std::string::npos)
      << text.str();
  EXPECT_NE(text.str().find(R"("capability":"filesystem-write","function":"descriptor.open-at","target":"new.txt")"),
            std::string::npos)
      << text.str();
}

TEST_F(Sandbox, WritesToTheStandardStreamsThatWereGranted) {
  std::array<int, 2> out{};
  ASSERT_EQ(pipe(out.data()), 0);
  options_.stdout_fd = out[1];
  options_.sandbox.standard_output = true;
  const std::unique_ptr<Instance> instance = start(test_component_path("wasi-upper"));
  Run in = run_of({"hello"});
  Run done;
  ASSERT_EQ(instance->process(in, done).status, CallStatus::ok);
  close(out[1]);
  std::string text(1024, '\0');
  const ssize_t size = read(out[0], text.data(), text.size());
  close(out[0]);
  EXPECT_GT(size, 0) << "nothing came through";
}

TEST(EngineMemory, IsBoundedForAllInstancesTogether) {
  const Result<std::unique_ptr<Engine>> engine =
      WasmEngine::create({.max_instances = 8, .max_memory_bytes = std::uint64_t{512} << 10, .cache_directory = {}});
  ASSERT_TRUE(engine);
  const Result<std::shared_ptr<Component>> component = (*engine)->load(test_component_path("reach"));
  ASSERT_TRUE(component);
  const auto pool = resources::BufferPool::create({}).value();
  resources::ContentTypes content_types;
  NullEventSink events;
  InstanceOptions options;
  options.pool = pool.get();
  options.content_types = &content_types;
  options.events = &events;
  options.clock = &SystemClock::instance();
  std::vector<std::unique_ptr<Instance>> instances;
  std::optional<Error> failure;
  while (!failure && instances.size() < 100) {
    Result<std::unique_ptr<Instance>> instance = (*component)->instantiate(options);
    if (instance) {
      instances.push_back(*std::move(instance));
    } else {
      failure = instance.error();
    }
  }
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code(), ErrorCode::host_memory_limit) << failure->to_string();
  EXPECT_FALSE(instances.empty());
  EXPECT_LE((*engine)->guest_memory_bytes(), std::uint64_t{512} << 10);
  instances.pop_back();
  EXPECT_TRUE((*component)->instantiate(options)) << "what an instance had comes back with its end";
  instances.clear();
  EXPECT_EQ((*engine)->guest_memory_bytes(), 0U);
}

}  // namespace
}  // namespace torvyn::engine
