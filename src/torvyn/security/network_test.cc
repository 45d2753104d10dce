#include "torvyn/security/network.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace torvyn::security {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
SocketAddress at(std::string_view address, std::uint16_t port) { return {ip(address), port}; }

AddressRules rules(std::string_view scope, bool listening = false) {
  AddressRules made;
  const Status added = made.add("tcp-connect", scope, listening);
  EXPECT_TRUE(added) << scope;
  return made;
}

NetworkPolicy connecting(std::string_view scope) { return NetworkPolicy({.tcp_connect = rules(scope)}); }
NetworkPolicy requests_of(std::string_view scope) { return NetworkPolicy({.http_client = rules(scope)}); }

bool connects(const NetworkPolicy& policy, std::string_view address, std::uint16_t port) {
  return policy.allows(AddressUse::tcp_connect, at(address, port));
}

TEST(IpAddress, IsReadAndWritten) {
  for (const std::string_view text : {"127.0.0.1", "::1", "2001:db8::7", "255.255.255.255"})
    EXPECT_EQ(ip(text).to_string(), text);
  for (const std::string_view text : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "::1::", "example.org", "[::1]"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  EXPECT_EQ(ip("::ffff:127.0.0.1"), ip("127.0.0.1"));
  EXPECT_EQ(at("::1", 80).to_string(), "[::1]:80");
  EXPECT_EQ(at("10.0.0.1", 443).to_string(), "10.0.0.1:443");
}

TEST(IpAddress, IsPublicWhereItLeadsOutside) {
  for (const std::string_view text :
       {"8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2002:0808:0808::1"})
    EXPECT_TRUE(ip(text).is_public()) << text;
  for (const std::string_view text : {"0.0.0.0",
                                      "10.1.2.3",
                                      "100.64.0.1",
                                      "127.0.0.1",
                                      "127.255.255.254",
                                      "169.254.169.254",
                                      "172.16.0.1",
                                      "172.31.255.255",
                                      "192.168.0.1",
                                      "192.0.2.1",
                                      "198.18.0.1",
                                      "198.51.100.1",
                                      "203.0.113.1",
                                      "224.0.0.1",
                                      "255.255.255.255",
                                      "::",
                                      "::1",
                                      "fe80::1",
                                      "fc00::1",
                                      "fd00::1",
                                      "ff02::1",
                                      "2001:db8::1",
                                      "2001::1",
                                      "2002:7f00:1::1",
                                      "2002:a00:1::1",
                                      "64:ff9b::7f00:1"})
    EXPECT_FALSE(ip(text).is_public()) << text;
}

TEST(AddressRules, AreReadInAllTheirForms) {
  EXPECT_TRUE(rules("").everything);
  const AddressRules many =
      rules("API.example.org.:443,*.example.net,10.0.0.0/8:80-90,[fd00::]/8,[::1]:8080,fe80::1,*:25");
  ASSERT_EQ(many.rules.size(), 7U);
  EXPECT_FALSE(many.everything);
  EXPECT_EQ(many.rules[0].name, "api.example.org");
  EXPECT_EQ(many.rules[0].port_first, 443);
  EXPECT_EQ(many.rules[0].port_last, 443);
  EXPECT_TRUE(many.rules[1].has_name("a.b.EXAMPLE.net"));
  EXPECT_FALSE(many.rules[1].has_name("example.net"));
  EXPECT_FALSE(many.rules[1].has_name("badexample.net"));
  EXPECT_EQ(many.rules[2].prefix_bits, 8);
  EXPECT_TRUE(many.rules[2].has_port(85));
  EXPECT_FALSE(many.rules[2].has_port(91));
  EXPECT_EQ(many.rules[3].prefix_bits, 8);
  EXPECT_TRUE(many.rules[3].has_port(1));
  EXPECT_EQ(many.rules[4].port_first, 8080);
  EXPECT_EQ(many.rules[5].prefix_bits, 128);
  EXPECT_EQ(many.rules[6].kind, AddressRule::Kind::any);
}

TEST(AddressRules, RefuseWhatIsNoAddress) {
  for (const std::string_view scope :
       {",", "a,", "a,,b", ":80", "host:", "host:x", "host:0", "host:70000", "host:9-8", "1.2.3", "10.0.0.0/33",
        "10.0.0.0/", "name/8", "*.", "*.*", "a..b", "[::1", "a b", "http://example.org"}) {
    AddressRules made;
    const Status added = made.add("udp", scope, false);
    ASSERT_FALSE(added) << scope;
    EXPECT_EQ(added.error().code(), ErrorCode::out_of_range);
    EXPECT_NE(added.error().message().find("udp:"), std::string::npos);
    EXPECT_FALSE(added.error().detail().hint.empty());
  }
  AddressRules made;
  EXPECT_FALSE(made.add("tcp-listen", "example.org:80", true));
  EXPECT_TRUE(made.add("tcp-listen", "8080", true));
  EXPECT_FALSE(made.add("tcp-connect", "8080", false));
}

TEST(NetworkPolicy, OpensNothingWithoutAGrant) {
  const NetworkPolicy policy({});
  for (int use = 0; use <= static_cast<int>(AddressUse::udp_receive); ++use)
    for (const std::uint16_t port : {std::uint16_t{0}, std::uint16_t{80}})
      EXPECT_FALSE(policy.allows(static_cast<AddressUse>(use), at("8.8.8.8", port))) << use;
  EXPECT_FALSE(policy.may_look_up("example.org"));
  EXPECT_FALSE(policy.may_look_up("127.0.0.1"));
}

TEST(NetworkPolicy, ReachesTheNetworksItNames) {
  const NetworkPolicy policy = connecting("10.0.0.0/9:80,[::1]");
  EXPECT_TRUE(connects(policy, "10.127.0.1", 80));
  EXPECT_FALSE(connects(policy, "10.128.0.1", 80));
  EXPECT_FALSE(connects(policy, "10.127.0.1", 81));
  EXPECT_TRUE(connects(policy, "::1", 9));
  EXPECT_FALSE(connects(policy, "127.0.0.1", 9));
  EXPECT_FALSE(policy.allows(AddressUse::udp_send, at("10.0.0.1", 80)));
}

TEST(NetworkPolicy, ReachesANameOnceItWasLookedUp) {
  NetworkPolicy policy = connecting("api.example.org:443");
  EXPECT_FALSE(connects(policy, "8.8.8.8", 443));
  ASSERT_TRUE(policy.may_look_up("API.example.org"));
  EXPECT_FALSE(policy.may_look_up("example.org"));
  policy.looked_up("api.example.org", ip("8.8.8.8"));
  EXPECT_TRUE(connects(policy, "8.8.8.8", 443));
  EXPECT_FALSE(connects(policy, "8.8.8.8", 80));
  EXPECT_FALSE(connects(policy, "8.8.4.4", 443));
}

TEST(NetworkPolicy, RefusesANameThatPointsInward) {
  NetworkPolicy policy = connecting("*.example.org,10.0.0.7");
  for (const std::string_view inward : {"127.0.0.1", "10.0.0.7", "10.0.0.8", "169.254.169.254", "::1"})
    policy.looked_up("evil.example.org", ip(inward));
  EXPECT_FALSE(connects(policy, "127.0.0.1", 80));
  EXPECT_FALSE(connects(policy, "10.0.0.8", 80));
  EXPECT_FALSE(connects(policy, "169.254.169.254", 80));
  EXPECT_FALSE(connects(policy, "::1", 80));
  EXPECT_TRUE(connects(policy, "10.0.0.7", 80));  // it is named itself
}

TEST(NetworkPolicy, ForgetsTheOldestNamesFirst) {
  NetworkPolicy policy = connecting("a.example.org,b.example.org");
  policy.looked_up("a.example.org", ip("8.0.0.1"));
  EXPECT_TRUE(connects(policy, "8.0.0.1", 1));
  for (int i = 0; i < 1024; ++i)
    policy.looked_up("b.example.org", ip("9.0." + std::to_string(i / 256) + "." + std::to_string(i % 256)));
  EXPECT_FALSE(connects(policy, "8.0.0.1", 1));
  EXPECT_TRUE(connects(policy, "9.0.3.255", 1));
}

TEST(NetworkPolicy, ListensWhereItMay) {
  const NetworkPolicy policy({.tcp_listen = rules("8080,127.0.0.1:9000-9010", true)});
  EXPECT_TRUE(policy.allows(AddressUse::tcp_bind, at("0.0.0.0", 8080)));
  EXPECT_TRUE(policy.allows(AddressUse::tcp_listen, at("::", 8080)));
  EXPECT_TRUE(policy.allows(AddressUse::tcp_listen, at("127.0.0.1", 9005)));
  EXPECT_FALSE(policy.allows(AddressUse::tcp_listen, at("0.0.0.0", 9005)));
  EXPECT_FALSE(policy.allows(AddressUse::tcp_bind, at("0.0.0.0", 22)));
  EXPECT_TRUE(policy.allows(AddressUse::tcp_accept, at("192.168.1.1", 55'555)));
  EXPECT_FALSE(connects(policy, "127.0.0.1", 9005));
}

TEST(NetworkPolicy, BindsWhereTheMachineChoosesForWhoeverConnects) {
  EXPECT_TRUE(connecting("10.0.0.1").allows(AddressUse::tcp_bind, at("0.0.0.0", 0)));
  EXPECT_FALSE(connecting("10.0.0.1").allows(AddressUse::tcp_bind, at("0.0.0.0", 80)));
  const NetworkPolicy udp({.udp = rules("10.0.0.1:53")});
  EXPECT_TRUE(udp.allows(AddressUse::udp_bind, at("0.0.0.0", 0)));
  EXPECT_TRUE(udp.allows(AddressUse::udp_send, at("10.0.0.1", 53)));
  EXPECT_TRUE(udp.allows(AddressUse::udp_receive, at("10.0.0.1", 53)));
  EXPECT_FALSE(udp.allows(AddressUse::udp_receive, at("10.0.0.2", 53)));
}

TEST(NetworkPolicy, LooksUpByTheRightOfNamesOrOfSockets) {
  const NetworkPolicy names({.name_lookup = rules("*.example.org")});
  EXPECT_TRUE(names.may_look_up("a.example.org"));
  EXPECT_FALSE(names.may_look_up("example.com"));
  EXPECT_TRUE(NetworkPolicy({.udp = rules("")}).may_look_up("example.com"));
  EXPECT_FALSE(connecting("10.0.0.0/8").may_look_up("example.com"));
  EXPECT_TRUE(connecting("10.0.0.0/8").may_look_up("10.0.0.1"));
}

TEST(Requests, GoToTheHostsAndPortsOfTheirGrant) {
  const NetworkPolicy policy = requests_of("api.example.org:443,*.example.com,192.0.2.7:80,[fd00::]/8");
  EXPECT_TRUE(policy.may_request("api.example.org", 443));
  EXPECT_TRUE(policy.may_request("API.example.org.", 443));
  EXPECT_FALSE(policy.may_request("api.example.org", 80));
  EXPECT_FALSE(policy.may_request("example.org", 443));
  EXPECT_TRUE(policy.may_request("a.b.example.com", 8080));
  EXPECT_TRUE(policy.may_request("192.0.2.7", 80));
  EXPECT_FALSE(policy.may_request("192.0.2.8", 80));
  EXPECT_TRUE(policy.may_request("fd00::1", 80));
  EXPECT_FALSE(policy.may_request("", 80));
}

TEST(Requests, OfANameReachItsPublicAddressesAlone) {
  const NetworkPolicy policy = requests_of("api.example.org:443");
  EXPECT_TRUE(policy.may_reach("api.example.org", at("8.8.8.8", 443)));
  EXPECT_FALSE(policy.may_reach("api.example.org", at("8.8.8.8", 80)));
  EXPECT_FALSE(policy.may_reach("other.example.org", at("8.8.8.8", 443)));
  for (const char* inward : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "0.0.0.0"})
    EXPECT_FALSE(policy.may_reach("api.example.org", at(inward, 443))) << inward;
}

TEST(Requests, ReachInsideWhereTheAddressIsGrantedToo) {
  const NetworkPolicy policy = requests_of("db.internal,10.0.0.0/8:8080");
  EXPECT_TRUE(policy.may_request("db.internal", 8080));
  EXPECT_TRUE(policy.may_reach("db.internal", at("10.0.0.7", 8080)));
  EXPECT_FALSE(policy.may_reach("db.internal", at("10.0.0.7", 9090)));
  EXPECT_FALSE(policy.may_reach("db.internal", at("172.16.0.1", 8080)));
}

TEST(Requests, GoNowhereWithoutAGrantAndAnywhereWithAnUnscopedOne) {
  const NetworkPolicy none{NetworkRules{}};
  EXPECT_FALSE(none.may_request("example.org", 443));
  EXPECT_FALSE(none.may_request("127.0.0.1", 80));
  EXPECT_FALSE(none.may_reach("example.org", at("8.8.8.8", 443)));
  const NetworkPolicy all = requests_of("");
  EXPECT_TRUE(all.may_request("example.org", 443));
  EXPECT_TRUE(all.may_reach("localhost", at("127.0.0.1", 80)));
}

TEST(Requests, DoNotOpenSocketsNorSocketsRequests) {
  NetworkPolicy policy = requests_of("127.0.0.1");
  EXPECT_FALSE(policy.allows(AddressUse::tcp_connect, at("127.0.0.1", 80)));
  EXPECT_FALSE(policy.may_look_up("127.0.0.1"));
  NetworkRules sockets;
  ASSERT_TRUE(sockets.tcp_connect.add("tcp-connect", "", false));
  EXPECT_FALSE(NetworkPolicy(std::move(sockets)).may_request("127.0.0.1", 80));
}

}  // namespace
}  // namespace torvyn::security
