// gRPC in three processes: the source streams to the processor, the processor to the sink. The two servers are children of this process, so
// that their time is counted with its own.
//
//   grpc_stages SIZE COUNT RUN tcp|unix each|hint
//
// `each` sends every message at once, as a client does by default; `hint` says of each that more follow (buffer_hint), so that gRPC sends
// many together: more throughput, for the latency of waiting.
#include <grpcpp/grpcpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "bench/peers/work.h"
#include "stage.grpc.pb.h"

namespace torvyn::peers {
namespace {

constexpr int message_bytes_max = 256 << 20;

[[noreturn]] void give_up(std::string_view why) {
  std::fprintf(stderr, "grpc_stages: %.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

// A stream of runs to the next stage.
class Client {
 public:
  Client(const std::string& address, bool hint) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxSendMessageSize(message_bytes_max);
    stub_ = wire::Stage::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    writer_ = stub_->Push(&context_, &total_);
    if (hint) options_.set_buffer_hint();
  }
  void write(const wire::Run& run) {
    if (!writer_->Write(run, options_)) give_up("the next stage has gone");
  }
  wire::Total finish() {
    writer_->WritesDone();
    if (const grpc::Status status = writer_->Finish(); !status.ok()) give_up(status.error_message());
    return total_;
  }

 private:
  grpc::ClientContext context_;
  wire::Total total_;
  std::unique_ptr<wire::Stage::Stub> stub_;
  std::unique_ptr<grpc::ClientWriter<wire::Run>> writer_;
  grpc::WriteOptions options_;
};

class Processor final : public wire::Stage::Service {
 public:
  Processor(std::string sink, bool hint) : sink_(std::move(sink)), hint_(hint) {}
  grpc::Status Push(grpc::ServerContext* /*context*/, grpc::ServerReader<wire::Run>* reader,
                    wire::Total* total) override {
    Client sink(sink_, hint_);
    wire::Run run;
    while (reader->Read(&run)) {
      for (std::string& payload : *run.mutable_payloads())
        upper(reinterpret_cast<std::uint8_t*>(payload.data()), payload.size());
      sink.write(run);
    }
    *total = sink.finish();
    return grpc::Status::OK;
  }

 private:
  std::string sink_;
  bool hint_;
};

class Sink final : public wire::Stage::Service {
 public:
  grpc::Status Push(grpc::ServerContext* /*context*/, grpc::ServerReader<wire::Run>* reader,
                    wire::Total* answer) override {
    Total total;
    wire::Run run;
    while (reader->Read(&run)) {
      for (const std::string& payload : run.payloads())
        total.add(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
    }
    answer->set_elements(total.elements);
    answer->set_bytes(total.bytes);
    answer->set_upper(total.upper);
    return grpc::Status::OK;
  }
};

// A child process that serves until this one closes its end of a pipe.
class Served {
 public:
  // `make` makes the service, in the child.
  template <typename Make>
  Served(const std::string& wanted_address, const Make& make) {
    std::array<int, 2> up{};    // the child's address
    std::array<int, 2> down{};  // closed when it is to end
    if (pipe(up.data()) != 0 || pipe(down.data()) != 0) give_up("no pipe");
    process_ = fork();
    if (process_ < 0) give_up("no process");
    if (process_ == 0) {
      close(up[0]);
      close(down[1]);
      serve(wanted_address, make(), up[1], down[0]);
      _exit(0);
    }
    close(up[1]);
    close(down[0]);
    hold_ = down[1];
    std::array<char, 256> text{};
    const ssize_t size = read(up[0], text.data(), text.size());
    close(up[0]);
    if (size <= 0) give_up("a server did not start");
    address_.assign(text.data(), static_cast<std::size_t>(size));
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served() {
    close(hold_);
    waitpid(process_, nullptr, 0);
  }
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  static void serve(const std::string& wanted, std::unique_ptr<grpc::Service> service, int up, int down) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(wanted, grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(message_bytes_max);
    builder.RegisterService(service.get());
    const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (server == nullptr) _exit(1);
    const std::string address = wanted.starts_with("unix:") ? wanted : "127.0.0.1:" + std::to_string(port);
    if (write(up, address.data(), address.size()) < 0) _exit(1);
    close(up);
    char ignored = 0;
    while (read(down, &ignored, 1) > 0) {
    }
    server->Shutdown();
  }

  pid_t process_ = -1;
  int hold_ = -1;
  std::string address_;
};

int stream(const Task& task, bool over_unix, bool hint) {
  std::string folder = "/tmp/grpc-stages-XXXXXX";
  if (over_unix && mkdtemp(folder.data()) == nullptr) give_up("no folder for sockets");
  const auto address_of = [&](const std::string& name) {
    return over_unix ? "unix:" + folder + "/" + name : std::string("127.0.0.1:0");
  };
  {
    // gRPC must not have begun in this process before it forks.
    const Served sink(address_of("sink"), [] { return std::make_unique<Sink>(); });
    const Served processor(address_of("processor"), [&] { return std::make_unique<Processor>(sink.address(), hint); });
    Client client(processor.address(), hint);
    Source source(task);
    wire::Run run;
    while (source.pull()) {
      int index = 0;
      std::size_t begin = 0;
      for (const std::uint32_t end : source.ends()) {
        // Strings of the last message are used again.
        std::string* payload = index < run.payloads_size() ? run.mutable_payloads(index) : run.add_payloads();
        payload->assign(reinterpret_cast<const char*>(source.bytes()) + begin, end - begin);
        begin = end;
        ++index;
      }
      while (run.payloads_size() > index) run.mutable_payloads()->RemoveLast();
      client.write(run);
    }
    const wire::Total total = client.finish();
    Total told;
    told.elements = total.elements();
    told.bytes = total.bytes();
    told.upper = total.upper();
    print(told);
  }
  if (over_unix) {
    for (const char* const name : {"sink", "processor"}) unlink((folder + "/" + name).c_str());
    rmdir(folder.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace torvyn::peers

int main(int argc, char** argv) {
  using namespace torvyn::peers;
  const Task task = read_task(argc, argv);
  const std::string_view way = argc > 4 ? argv[4] : "";
  const std::string_view when = argc > 5 ? argv[5] : "";
  if ((way != "tcp" && way != "unix") || (when != "each" && when != "hint")) {
    std::fprintf(stderr, "usage: grpc_stages SIZE COUNT RUN tcp|unix each|hint\n");
    return 2;
  }
  return stream(task, way == "unix", when == "hint");
}
