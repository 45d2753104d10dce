#include "torvyn/security/network.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace torvyn::security {
namespace {

constexpr std::uint8_t v4_bits = 32;
constexpr std::uint8_t v6_bits = 128;

struct Block {
  std::array<std::uint8_t, 16> bytes;
  std::uint8_t bits;
};

// IANA's special-purpose registries, as far as an address in them leads inward, nowhere, or to whoever is near.
constexpr std::array<Block, 15> inward_v4{{
    {{0}, 8},              // this network
    {{10}, 8},             // private
    {{100, 64}, 10},       // shared between a carrier and its customers
    {{127}, 8},            // loopback
    {{169, 254}, 16},      // link-local; clouds keep their instances' credentials there
    {{172, 16}, 12},       // private
    {{192, 0, 0}, 24},     // protocol assignments
    {{192, 0, 2}, 24},     // documentation
    {{192, 88, 99}, 24},   // relays of 6to4, long gone
    {{192, 168}, 16},      // private
    {{198, 18}, 15},       // benchmarks
    {{198, 51, 100}, 24},  // documentation
    {{203, 0, 113}, 24},   // documentation
    {{224}, 4},            // multicast
    {{240}, 4},            // reserved, broadcast
}};
// Of IPv6 only 2000::/3 is given out; within it:
constexpr Block v6_given_out{{0x20}, 3};
constexpr std::array<Block, 3> inward_v6{{
    {{0x20, 0x01, 0x00}, 23},        // protocol assignments, Teredo among them
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    {{0x3f, 0xff}, 20},              // documentation
}};
constexpr Block v6_of_6to4{{0x20, 0x02}, 16};  // carries an IPv4 address in the next four bytes

bool same_prefix(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b, unsigned bits) noexcept {
  const unsigned whole = bits / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff00U >> rest);
  return ((a[whole] ^ b[whole]) & mask) == 0;
}

bool is_in(const IpAddress& ip, const Block& block) noexcept { return same_prefix(ip.bytes, block.bytes, block.bits); }

std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& c : copy)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return copy;
}

std::string_view without_last_dot(std::string_view name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

template <class Number>
std::optional<Number> number(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return static_cast<Number>(value);
}

// Letters, digits, hyphens, underscores and dots, none of the labels empty.
bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.starts_with('.') || text.find("..") != std::string_view::npos)
    return false;
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

bool read_ports(std::string_view text, AddressRule& rule) {
  const std::size_t hyphen = text.find('-');
  const auto first = number<std::uint16_t>(text.substr(0, hyphen), 65'535);
  const auto last = hyphen == std::string_view::npos ? first : number<std::uint16_t>(text.substr(hyphen + 1), 65'535);
  if (!first || !last || *first > *last || *first == 0) return false;
  rule.port_first = *first;
  rule.port_last = *last;
  return true;
}

bool read_host(std::string_view host, AddressRule& rule) {
  if (host == "*") return true;
  const std::size_t slash = host.find('/');
  std::string_view address = host.substr(0, slash);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  if (const auto ip = IpAddress::parse(address)) {
    rule.kind = AddressRule::Kind::network;
    rule.network = *ip;
    const std::uint8_t bits = ip->is_v6 ? v6_bits : v4_bits;
    rule.prefix_bits = bits;
    if (slash == std::string_view::npos) return true;
    const auto prefix = number<std::uint8_t>(host.substr(slash + 1), bits);
    if (prefix) rule.prefix_bits = *prefix;
    return prefix.has_value();
  }
  if (slash != std::string_view::npos) return false;
  const std::string_view name = without_last_dot(host);
  if (!is_name(name.starts_with("*.") ? name.substr(2) : name)) return false;
  // Digits and dots alone are an address with a mistake in it.
  if (name.find_first_not_of("0123456789.") == std::string_view::npos) return false;
  rule.kind = AddressRule::Kind::name;
  rule.name = lower(name);
  return true;
}

bool read_rule(std::string_view text, bool listening, AddressRule& rule) {
  if (listening && read_ports(text, rule)) return true;
  std::string_view host = text;
  // Behind the bracket of an IPv6 address, or behind the only colon there is.
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const bool bare_v6 = bracket == std::string_view::npos && std::ranges::count(text, ':') > 1;
  if (colon != std::string_view::npos && !bare_v6) {
    host = text.substr(0, colon);
    if (!read_ports(text.substr(colon + 1), rule)) return false;
  }
  return read_host(host, rule) && !(listening && rule.kind == AddressRule::Kind::name);
}

}  // namespace

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_ntop(is_v6 ? AF_INET6 : AF_INET, bytes.data(), text.data(), text.size());
}

bool IpAddress::is_public() const noexcept {
  const auto holds = [this](const Block& block) { return is_in(*this, block); };
  if (!is_v6) return std::ranges::none_of(inward_v4, holds);
  if (!is_in(*this, v6_given_out) || std::ranges::any_of(inward_v6, holds)) return false;
  if (!is_in(*this, v6_of_6to4)) return true;
  IpAddress inner;
  std::copy_n(bytes.begin() + 2, 4, inner.bytes.begin());
  return inner.is_public();
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  IpAddress ip;
  if (inet_pton(AF_INET, terminated.c_str(), ip.bytes.data()) == 1) return ip;
  if (inet_pton(AF_INET6, terminated.c_str(), ip.bytes.data()) != 1) return std::nullopt;
  ip.is_v6 = true;
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!std::equal(mapped.begin(), mapped.end(), ip.bytes.begin())) return ip;
  IpAddress v4;
  std::copy_n(ip.bytes.begin() + mapped.size(), 4, v4.bytes.begin());
  return v4;
}

std::string SocketAddress::to_string() const {
  return fmt::format("{}{}{}:{}", ip.is_v6 ? "[" : "", ip.to_string(), ip.is_v6 ? "]" : "", port);
}

bool AddressRule::has_address(const IpAddress& ip) const noexcept {
  if (kind == Kind::any) return true;
  return kind == Kind::network && ip.is_v6 == network.is_v6 && same_prefix(ip.bytes, network.bytes, prefix_bits);
}

bool AddressRule::has_name(std::string_view wanted) const {
  if (kind != Kind::name) return kind == Kind::any;
  const std::string asked = lower(without_last_dot(wanted));
  if (!name.starts_with("*.")) return asked == name;
  const std::string_view below = std::string_view(name).substr(1);
  return asked.size() > below.size() && asked.ends_with(below);
}

bool AddressRule::covers(const AddressRule& other) const {
  if (other.port_first < port_first || other.port_last > port_last) return false;
  if (kind == Kind::any) return true;
  if (kind != other.kind) return false;
  if (kind == Kind::network) return other.prefix_bits >= prefix_bits && has_address(other.network);
  return name == other.name ||
         has_name(other.name.starts_with("*.") ? std::string_view(other.name).substr(1) : other.name);
}

bool AddressRules::covers(const AddressRules& other) const {
  if (everything) return true;
  if (other.everything) return false;
  return std::ranges::all_of(other.rules, [this](const AddressRule& wanted) {
    return std::ranges::any_of(rules, [&wanted](const AddressRule& rule) { return rule.covers(wanted); });
  });
}

Status AddressRules::add(std::string_view capability, std::string_view scope, bool listening) {
  granted = true;
  if (scope.empty()) everything = true;
  for (std::string_view rest = scope; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    AddressRule rule;
    if (!read_rule(part, listening, rule))
      return fail(
          ErrorCode::out_of_range, fmt::format("`{}` in the grant `{}:{}` is no address", part, capability, scope),
          listening ? "write `8080`, `127.0.0.1:8080` or `[::1]:8000-8100`"
                    : "write `api.example.org:443`, `*.example.org`, `192.0.2.7:80`, `10.0.0.0/8` or `[::1]:8080`");
    rules.push_back(std::move(rule));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (comma != std::string_view::npos && rest.empty())
      return fail(ErrorCode::out_of_range, fmt::format("the grant `{}:{}` ends in a comma", capability, scope),
                  "leave it out, or add what comes behind it");
  }
  return {};
}

std::string_view capability_of(AddressUse use, const SocketAddress& address) noexcept {
  switch (use) {
    case AddressUse::tcp_bind:
      return address.port == 0 ? "tcp-connect" : "tcp-listen";
    case AddressUse::tcp_connect:
      return "tcp-connect";
    case AddressUse::tcp_listen:
    case AddressUse::tcp_accept:
      return "tcp-listen";
    case AddressUse::udp_bind:
    case AddressUse::udp_send:
    case AddressUse::udp_receive:
      break;
  }
  return "udp";
}

std::string_view function_of(AddressUse use) noexcept {
  switch (use) {
    case AddressUse::tcp_bind:
      return "tcp-socket.start-bind";
    case AddressUse::tcp_listen:
      return "tcp-socket.start-listen";
    case AddressUse::tcp_accept:
      return "tcp-socket.accept";
    case AddressUse::tcp_connect:
      return "tcp-socket.start-connect";
    case AddressUse::udp_bind:
      return "udp-socket.start-bind";
    case AddressUse::udp_send:
      return "outgoing-datagram-stream.send";
    case AddressUse::udp_receive:
      break;
  }
  return "incoming-datagram-stream.receive";
}

bool NetworkPolicy::may_look_up(std::string_view name) const {
  if (IpAddress::parse(name)) return rules_.opens_sockets() || rules_.name_lookup.granted;
  return std::ranges::any_of(
      std::array{&rules_.name_lookup, &rules_.tcp_connect, &rules_.udp}, [name](const AddressRules* rules) {
        return rules->everything ||
               std::ranges::any_of(rules->rules, [name](const AddressRule& rule) { return rule.has_name(name); });
      });
}

void NetworkPolicy::looked_up(std::string_view name, const IpAddress& ip) {
  const std::scoped_lock lock(mutex_);
  const bool known =
      std::ranges::any_of(answers_, [&](const Answer& answer) { return answer.ip == ip && answer.name == name; });
  if (known) return;
  Answer answer{ip, std::string(name)};
  if (answers_.size() < answers_max) {
    answers_.push_back(std::move(answer));
    return;
  }
  answers_[next_answer_] = std::move(answer);
  next_answer_ = (next_answer_ + 1) % answers_max;
}

bool NetworkPolicy::reaches(const AddressRules& rules, const SocketAddress& address) const {
  if (rules.everything) return true;
  const std::scoped_lock lock(mutex_);
  return std::ranges::any_of(rules.rules, [&](const AddressRule& rule) {
    if (!rule.has_port(address.port)) return false;
    if (rule.kind != AddressRule::Kind::name) return rule.has_address(address.ip);
    return address.ip.is_public() && std::ranges::any_of(answers_, [&](const Answer& answer) {
             return answer.ip == address.ip && rule.has_name(answer.name);
           });
  });
}

bool NetworkPolicy::allows(AddressUse use, const SocketAddress& address) const {
  switch (use) {
    case AddressUse::tcp_bind:
      // A port of the machine's choice is what every connection is bound to.
      if (address.port == 0) return rules_.tcp_connect.granted || rules_.tcp_listen.granted;
      return reaches(rules_.tcp_listen, address);
    case AddressUse::tcp_listen:
      return reaches(rules_.tcp_listen, address);
    case AddressUse::tcp_accept:
      return rules_.tcp_listen.granted;
    case AddressUse::tcp_connect:
      return reaches(rules_.tcp_connect, address);
    case AddressUse::udp_bind:
      return address.port == 0 ? rules_.udp.granted : reaches(rules_.udp, address);
    case AddressUse::udp_send:
    case AddressUse::udp_receive:
      break;
  }
  return reaches(rules_.udp, address);
}

bool NetworkPolicy::may_request(std::string_view host, std::uint16_t port) const {
  const AddressRules& rules = rules_.http_client;
  const std::optional<IpAddress> ip = IpAddress::parse(host);
  return rules.everything || std::ranges::any_of(rules.rules, [&](const AddressRule& rule) {
           return rule.has_port(port) && (ip ? rule.has_address(*ip) : rule.has_name(host));
         });
}

bool NetworkPolicy::may_reach(std::string_view host, const SocketAddress& address) const {
  const AddressRules& rules = rules_.http_client;
  return rules.everything || std::ranges::any_of(rules.rules, [&](const AddressRule& rule) {
           if (!rule.has_port(address.port)) return false;
           if (rule.kind != AddressRule::Kind::name) return rule.has_address(address.ip);
           return address.ip.is_public() && rule.has_name(host);
         });
}

}  // namespace torvyn::security
