// Addresses and names a component may reach: what a grant's scope says of them, and whether one fits.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/types/error.h"

namespace torvyn::security {

// IPv4 in the first four bytes, the rest 0. An IPv4 address in IPv6's clothes is to be given as IPv4.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool is_v6 = false;

  bool operator==(const IpAddress&) const = default;
  std::string to_string() const;
  // Whether it is one of the Internet's: not loopback, private, link-local, shared, multicast, reserved or for documentation, nor an IPv6
  // address that carries an IPv4 one which isn't.
  bool is_public() const noexcept;
  // Nothing where `text` is no address. No brackets, no port.
  static std::optional<IpAddress> parse(std::string_view text);
};

struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  std::string to_string() const;  // "127.0.0.1:80", "[::1]:80"
};

// One of those that a scope lists.
struct AddressRule {
  enum class Kind : std::uint8_t { any, name, network };
  Kind kind = Kind::any;
  std::string name;  // lower case; "*.example.org" is every name below it
  IpAddress network;
  std::uint8_t prefix_bits = 0;
  std::uint16_t port_first = 0;
  std::uint16_t port_last = 65'535;

  bool has_port(std::uint16_t port) const noexcept { return port >= port_first && port <= port_last; }
  bool has_address(const IpAddress& ip) const noexcept;
  bool has_name(std::string_view wanted) const;  // in any case, with or without the dot at its end
  bool covers(const AddressRule& other) const;   // all that the other lets pass
};

// What a capability of the network opens.
struct AddressRules {
  bool granted = false;
  bool everything = false;  // granted without a scope
  std::vector<AddressRule> rules = {};

  // Adds what a scope says: parts with commas between, each `HOST`, `HOST:PORT` or `HOST:FIRST-LAST`. HOST is a name, `*.` and a name, an
  // address, a network (`10.0.0.0/8`, `[fd00::]/8`), or `*`; IPv6 with a port stands in brackets. For `listening`, a part may be a port alone, and
  // names mean nothing. Errors: E0702.
  Status add(std::string_view capability, std::string_view scope, bool listening);
  // Whether each rule of `other` is covered by one of these.
  bool covers(const AddressRules& other) const;
};

struct NetworkRules {
  AddressRules tcp_connect = {};
  AddressRules tcp_listen = {};
  AddressRules udp = {};
  AddressRules name_lookup = {};
  AddressRules http_client = {};

  bool opens_sockets() const noexcept { return tcp_connect.granted || tcp_listen.granted || udp.granted; }
};

// What a socket wants with an address; the numbers are the bridge's.
enum class AddressUse : std::uint8_t { tcp_bind, tcp_listen, tcp_accept, tcp_connect, udp_bind, udp_send, udp_receive };
// The capability that would allow it, and the function of WASI that asks for it.
std::string_view capability_of(AddressUse use, const SocketAddress& address) noexcept;
std::string_view function_of(AddressUse use) noexcept;

// The names one instance has looked up, and the rules it lives by. A rule that names a host lets an address pass that the instance was told
// for that name, as long as it is public: a name that points inward opens nothing. An address inside is reached by a rule that says the address or its
// network.
// Thread: any.
class NetworkPolicy {
 public:
  explicit NetworkPolicy(NetworkRules rules) : rules_(std::move(rules)) {}

  // Rules for sockets that name the host, or all hosts, allow its lookup too. An address is looked up by whoever has any grant of the network.
  bool may_look_up(std::string_view name) const;
  void looked_up(std::string_view name, const IpAddress& ip);
  bool allows(AddressUse use, const SocketAddress& address) const;

  // Whether requests over HTTP may go to `host`, a name or an address; and whether to the address that the name was found to stand for. As
  // with sockets, a rule that names the host reaches its public addresses alone.
  bool may_request(std::string_view host, std::uint16_t port) const;
  bool may_reach(std::string_view host, const SocketAddress& address) const;

 private:
  bool reaches(const AddressRules& rules, const SocketAddress& address) const;

  NetworkRules rules_;
  struct Answer {
    IpAddress ip;
    std::string name;
  };
  // The oldest is forgotten first: a component that looks up more than that looks them up again.
  static constexpr std::size_t answers_max = 1024;
  mutable std::mutex mutex_;
  std::vector<Answer> answers_;
  std::size_t next_answer_ = 0;
};

}  // namespace torvyn::security
