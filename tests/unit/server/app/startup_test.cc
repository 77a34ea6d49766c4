#include "server/app/startup.h"

#include <doctest/doctest.h>

#include "server/app/cron.h"
#include "server/app/processors.h"

using namespace vedette;

namespace {

std::string title(const std::string& pattern, const ServerOptions& options) {
  const auto text = expand_title(pattern, "prog", options, "/etc/v.conf");
  return text ? *text : "error: " + text.error().text();
}

using Processors = std::vector<int>;

}  // namespace

TEST_CASE("the title template is filled in") {
  ServerOptions options;
  options.network.port = 7000;
  CHECK(title("{title} {listen-addr} {server-mode}", options) == "prog *:7000");
  CHECK(title("{port}|{tls-port}|{unixsocket}|{config-file}", options) == "7000|0||/etc/v.conf");
  CHECK(title("plain", options) == "plain");
  options.network.port = 0;
  options.network.tls_port = 7001;
  CHECK(title("{listen-addr} {port} {tls-port}", options) == "*:7001 0 7001");
  options.network.tls_port = 0;
  options.network.port = 7000;
  options.network.bind = {"-::1"};
  CHECK(title("{listen-addr}", options) == "::1:7000");
  options.network.port = 0;
  options.network.unixsocket = "/run/v.sock";
  CHECK(title("{title} {listen-addr}", options) == "prog /run/v.sock");
  CHECK(title("{nosuch}", options).starts_with("error: "));
  CHECK(title("{title", options).starts_with("error: "));
}

TEST_CASE("a sentinel is asked for by name or by option, and gets the other arguments") {
  using Words = std::vector<std::string>;
  CHECK_FALSE(sentinel_arguments("/usr/bin/vedette-server", {"/etc/s.conf", "--port", "1"}));
  CHECK(sentinel_arguments("vedette-server", {"/etc/s.conf", "--sentinel", "--port", "1"}) == Words{"/etc/s.conf", "--port", "1"});
  CHECK(sentinel_arguments("vedette-server", {"s.conf", "--SENTINEL"}) == Words{"s.conf"});
  CHECK(sentinel_arguments("/opt/redis-sentinel", {"s.conf"}) == Words{"s.conf"});
  CHECK(sentinel_arguments("vedette-sentinel", {}) == Words{});
  CHECK_FALSE(sentinel_arguments("redis-sentinel-not", {}));
}

TEST_CASE("lists of processors: numbers, ranges, strides") {
  const auto parsed = [](std::string_view list) {
    const auto processors = parse_processors(list);
    return processors ? *processors : Processors{-1};
  };
  CHECK(parsed("") == Processors{});
  CHECK(parsed("3") == Processors{3});
  CHECK(parsed("0-3,6") == Processors{0, 1, 2, 3, 6});
  CHECK(parsed("0-7:2") == Processors{0, 2, 4, 6});
  CHECK(parsed("0,2-3:1") == Processors{0, 2, 3});
  CHECK(parsed("5,1,1-2") == Processors{1, 2, 5});
  CHECK(parsed("2-2") == Processors{2});
  CHECK(parsed("1023") == Processors{1023});
  for (std::string_view bad :
       {",", "1,", ",1", "1,,2", "a", "1-", "-1", "3-1", "1-2:0", "1-2:", "1:2", "1024", "0-1024", "1-2-3", " 1", "1 "}) {
    CAPTURE(bad);
    CHECK(parsed(bad) == Processors{-1});
    CHECK_FALSE(check_processors(bad));
  }
}

TEST_CASE("with many clients the cron ticks faster, up to a bound") {
  CHECK(ticks_per_second(10, true, 0) == 10);
  CHECK(ticks_per_second(10, true, 2000) == 10);
  CHECK(ticks_per_second(10, true, 2010) == 20);
  CHECK(ticks_per_second(10, false, 1000000) == 10);
  CHECK(ticks_per_second(10, true, 1000000) == 500);
  CHECK(ticks_per_second(500, true, 1000000) == 500);
  CHECK(ticks_per_second(0, true, 0) == 1);
}

TEST_CASE("a build has one name") {
  CHECK(build_id("1.0").size() == 16);
  CHECK(build_id("1.0") == build_id("1.0"));
}
